import { Route, Routes } from 'react-router'
import { OrderDetail } from './order-detail'
import { OrderList } from './order-list'

export default function Orders() {
  return (
    <Routes>
      <Route index element={<OrderList />} />
      <Route path=":orderId" element={<OrderDetail />} />
    </Routes>
  )
}
