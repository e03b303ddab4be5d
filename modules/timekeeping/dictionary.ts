import type { Dictionary } from '../../core/index.ts'

const at = {
  created_at: { en: 'When the row was made.', nl: 'Wanneer de regel is gemaakt.', category: 'technical' },
  changed_at: { en: 'When the row last changed.', nl: 'Wanneer de regel voor het laatst is gewijzigd.', category: 'technical' }
} as const

const of = (table: string, columns: Dictionary): Dictionary =>
  Object.fromEntries(Object.entries(columns).map(([column, text]) => [`timekeeping.${table}.${column}`, text]))

const job = {
  order_number: { en: 'Number of the work order.', nl: 'Nummer van de werkorder.', category: 'business' },
  operation_number: { en: 'Number of the operation.', nl: 'Nummer van de bewerking.', category: 'business' },
  job_id: { en: 'The job; empty for indirect time.', nl: 'De bewerking; leeg bij indirecte uren.', category: 'technical' },
  connection_id: { en: 'Connection the order came from.', nl: 'Koppeling waarvan de order kwam.', category: 'technical' },
  activity: { en: 'Setting up, running, or indirect.', nl: 'Instellen, draaien of indirect.', category: 'business' },
  activity_code: { en: 'Code of the indirect activity.', nl: 'Urencode van de indirecte activiteit.', category: 'business' },
  started_at: { en: 'Start of the time.', nl: 'Begin van de tijd.', category: 'personal' },
  employee_id: { en: 'The employee.', nl: 'De medewerker.', category: 'personal' }
} as const

export const dictionary: Dictionary = {
  ...of('employee', {
    id: { en: 'Our own id of the employee.', nl: 'Onze eigen sleutel van de medewerker.', category: 'personal' },
    connection_id: { en: 'Connection that brought the employee.', nl: 'Koppeling die de medewerker bracht.', category: 'technical' },
    key_blind: { en: "Blind index of the ERP's key.", nl: 'Blinde index van de sleutel in het ERP.', category: 'personal' },
    number_blind: { en: 'Blind index of the employee number.', nl: 'Blinde index van het medewerkernummer.', category: 'personal' },
    number_sealed: { en: 'Employee number, encrypted.', nl: 'Medewerkernummer, versleuteld.', category: 'personal' },
    name_sealed: { en: 'Name, encrypted.', nl: 'Naam, versleuteld.', category: 'personal' },
    active: { en: 'Whether time may be booked.', nl: 'Of er uren geboekt mogen worden.', category: 'personal' },
    ...at
  }),
  ...of('activity_code', {
    code: { en: 'Code of the activity.', nl: 'Urencode.', category: 'business' },
    name: { en: 'What the activity is called.', nl: 'Hoe de activiteit heet.', category: 'business' },
    kind: { en: 'Indirect work or absence.', nl: 'Indirect werk of afwezigheid.', category: 'business' },
    active: { en: 'Whether it may be chosen.', nl: 'Of de code gekozen kan worden.', category: 'business' },
    ...at
  }),
  ...of('interval', {
    id: { en: 'Id of the interval.', nl: 'Sleutel van het interval.', category: 'technical' },
    seq: { en: 'Order in which rows were made.', nl: 'Volgorde waarin de regels zijn gemaakt.', category: 'technical' },
    ...job,
    ended_at: { en: 'End of the time; empty while it runs.', nl: 'Einde van de tijd; leeg zolang het loopt.', category: 'personal' },
    end_reason: { en: 'Why it ended.', nl: 'Waarom het eindigde.', category: 'business' },
    flagged: { en: 'A person should look at it.', nl: 'Iemand moet ernaar kijken.', category: 'business' },
    ...at
  }),
  ...of('booking', {
    id: { en: 'Id of the booking.', nl: 'Sleutel van de boeking.', category: 'technical' },
    seq: { en: 'Order in which bookings were made.', nl: 'Volgorde van boeken.', category: 'technical' },
    interval_id: { en: 'The interval it is booked from.', nl: 'Het interval waaruit geboekt is.', category: 'technical' },
    ...job,
    seconds: { en: 'Booked seconds after sharing.', nl: 'Geboekte seconden na verdeling.', category: 'personal' },
    day: { en: "Calendar day in the customer's zone.", nl: 'Kalenderdag in de tijdzone van de klant.', category: 'personal' },
    reverses: { en: 'Booking that this one takes back.', nl: 'Boeking die hiermee wordt teruggedraaid.', category: 'business' },
    reason: { en: 'Reason of a correction.', nl: 'Reden van een correctie.', category: 'business' },
    outbox_key: { en: 'Key of the message to the ERP.', nl: 'Sleutel van het bericht aan het ERP.', category: 'technical' },
    created_at: at.created_at
  })
}
