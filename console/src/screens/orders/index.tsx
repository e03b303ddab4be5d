import { Route, Routes } from 'react-router'
import { OrderList } from './order-list'

export default function Orders() {
  return (
    <Routes>
      <Route index element={<OrderList />} />
    </Routes>
  )
}
