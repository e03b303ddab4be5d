import { Route, Routes } from 'react-router'
import { Floor } from './floor'

export default function FloorScreen() {
  return (
    <Routes>
      <Route path=":jobId?" element={<Floor />} />
    </Routes>
  )
}
