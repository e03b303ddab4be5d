/** Values that every case may use; the texts of statements never hold them. */
export const id = '01900000-0000-7000-8000-000000000001'
export const ids = [id, '01900000-0000-7000-8000-000000000002']
export const at = '2027-03-01T08:00:00.000Z'
export const day = '2027-03-01'
export const blind = Buffer.alloc(32, 1)
