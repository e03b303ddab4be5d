import { Route, Routes } from 'react-router'
import { ConnectionDetail } from './detail'
import { ConnectionList } from './list'
import { Wizard } from './wizard'

export default function Connections() {
  return (
    <Routes>
      <Route index element={<ConnectionList />} />
      <Route path="new" element={<Wizard />} />
      <Route path="new/:id" element={<Wizard />} />
      <Route path=":id/*" element={<ConnectionDetail />} />
    </Routes>
  )
}
