import type { Dictionary } from '../../core/index.ts'

type Sentence = Dictionary[string]
const business = (en: string, nl: string): Sentence => ({ en, nl, category: 'business' })
const technical = (en: string, nl: string): Sentence => ({ en, nl, category: 'technical' })
const personal = (en: string, nl: string): Sentence => ({ en, nl, category: 'personal' })

const created = { created_at: technical('When the row was made.', 'Wanneer de regel is gemaakt.') }
const dated = { ...created, changed_at: technical('When the row last changed.', 'Wanneer de regel voor het laatst is gewijzigd.') }
const id = { id: technical('Our own key of the row.', 'Onze eigen sleutel van de regel.') }
const seq = { seq: technical('Order in which rows were made.', 'Volgorde waarin regels zijn gemaakt.') }
const orderId = { order_id: technical('The work order.', 'De werkorder.') }
const version = { version: technical('Rises with every change.', 'Loopt op bij elke wijziging.') }
const spans = {
  started_at: business('When work on it first started.', 'Wanneer er voor het eerst aan is begonnen.'),
  finished_at: business('When it was finished.', 'Wanneer het gereed was.')
}
const planning = {
  due: business('Due date.', 'Leverdatum.'),
  priority: business('Priority; higher comes first.', 'Prioriteit; hoger gaat voor.')
}

const of = (table: string, columns: Dictionary): Dictionary =>
  Object.fromEntries(Object.entries(columns).map(([column, text]) => [`workorders.${table}.${column}`, text]))

export const dictionary: Dictionary = {
  ...of('work_order', {
    ...id,
    ...seq,
    number: business('Work order number of the ERP.', 'Werkordernummer van het ERP.'),
    connection_id: technical(
      'Connection it came from and its feedback goes to.',
      'Koppeling waarvan hij kwam en waarheen de terugmelding gaat.'
    ),
    article: business('Article that is made.', 'Artikel dat wordt gemaakt.'),
    description: business('Description.', 'Omschrijving.'),
    department_code: business('Department code.', 'Afdelingscode.'),
    quantity: business('Quantity to make.', 'Te maken hoeveelheid.'),
    unit: business('Unit of the quantities.', 'Eenheid van de hoeveelheden.'),
    ...planning,
    erp_status: business("The ERP's own word for the state.", 'Het eigen woord van het ERP voor de status.'),
    status: business(
      'Planned, released, started, paused, completed, closed or cancelled.',
      'Gepland, vrijgegeven, gestart, gepauzeerd, gereed, gesloten of geannuleerd.'
    ),
    ...version,
    ...spans,
    ...dated
  }),
  ...of('job', {
    ...id,
    ...seq,
    ...orderId,
    number: business('Operation number of the ERP.', 'Bewerkingsnummer van het ERP.'),
    sequence: business('Place in the order of operations.', 'Plaats in de volgorde van bewerkingen.'),
    department_code: business('Department code.', 'Afdelingscode.'),
    work_centre: business('Work centre.', 'Werkcentrum.'),
    description: business('Description.', 'Omschrijving.'),
    setup_seconds: business(
      'Standard time of setting up, once for the operation, in seconds.',
      'Normtijd van instellen, eenmaal per bewerking, in seconden.'
    ),
    run_seconds: business(
      'Standard time of running the whole quantity, in seconds.',
      'Normtijd van draaien van het hele aantal, in seconden.'
    ),
    status: business(
      'Planned, released, started, paused, completed, closed or cancelled.',
      'Gepland, vrijgegeven, gestart, gepauzeerd, gereed, gesloten of geannuleerd.'
    ),
    planned_quantity: business('Quantity to make.', 'Te maken hoeveelheid.'),
    good: business('Good pieces reported.', 'Gemeld aantal goed.'),
    scrap: business('Scrap reported.', 'Gemelde uitval.'),
    rework: business('Rework reported.', 'Gemelde nabewerking.'),
    ...planning,
    ...version,
    ...spans,
    ...dated
  }),
  ...of('material', {
    ...orderId,
    line: business('Number of the material line.', 'Nummer van de materiaalregel.'),
    operation_number: business('Operation that uses it.', 'Bewerking die het gebruikt.'),
    article: business('Article number.', 'Artikelnummer.'),
    quantity: business('Quantity for the whole order.', 'Hoeveelheid voor de hele order.'),
    unit: business('Unit of the quantity.', 'Eenheid van de hoeveelheid.'),
    location: business('Location it is taken from.', 'Locatie waarvan het wordt gepakt.'),
    ...dated
  }),
  ...of('scrap_reason', {
    code: business('Code of the scrap reason.', 'Code van de uitvalreden.'),
    name: business('Name of the scrap reason.', 'Naam van de uitvalreden.'),
    active: business('Whether it may be chosen.', 'Of hij gekozen mag worden.'),
    ...dated
  }),
  ...of('report', {
    ...id,
    ...seq,
    job_id: technical('The operation.', 'De bewerking.'),
    kind: business('Report, reversal, replacement or reopening.', 'Melding, tegenboeking, vervanging of heropening.'),
    good: business('Good pieces; negative on a reversal.', 'Aantal goed; negatief bij een tegenboeking.'),
    scrap: business('Scrap; negative on a reversal.', 'Uitval; negatief bij een tegenboeking.'),
    rework: business('Rework; negative on a reversal.', 'Nabewerking; negatief bij een tegenboeking.'),
    scrap_reason: business('Scrap reason.', 'Uitvalreden.'),
    shortfall: business(
      'What happens to missing pieces: none, not yet or lost.',
      'Wat er met ontbrekende stuks gebeurt: geen, nog niet of verloren.'
    ),
    reverses: business('The report this one takes back.', 'De melding die deze terugneemt.'),
    replaces: business('The report this one stands for.', 'De melding die deze vervangt.'),
    reason: business('Why, where a reason was asked.', 'Waarom, waar een reden werd gevraagd.'),
    reported_by: personal('Id of the account that reported.', 'Sleutel van het account dat meldde.'),
    employee_id: personal('The employee it was reported for.', 'De medewerker voor wie is gemeld.'),
    outbox_key: technical('Key of its message to the ERP.', 'Sleutel van het bericht aan het ERP.'),
    receipt_key: technical('Key of the message of finished goods.', 'Sleutel van het bericht van de gereedmelding.'),
    at: business('When it was reported.', 'Wanneer is gemeld.'),
    ...created
  }),
  ...of('order_change', {
    ...id,
    ...seq,
    ...orderId,
    field: business('The field that the ERP wanted to change.', 'Het veld dat het ERP wilde wijzigen.'),
    before: business('What the floor had.', 'Wat de werkvloer had.'),
    after: business('What the ERP sent.', 'Wat het ERP stuurde.'),
    policy: business('What the setting said: accept, hold or refuse.', 'Wat de instelling zei: overnemen, vasthouden of weigeren.'),
    state: business('What became of it.', 'Wat ervan is geworden.'),
    floor_version: technical('Version of the order that the floor saw.', 'Versie van de order die de werkvloer zag.'),
    decided_by: personal('Id of the account that decided.', 'Sleutel van het account dat besliste.'),
    decided_at: business('When it was decided.', 'Wanneer is beslist.'),
    at: business('When the ERP wanted it.', 'Wanneer het ERP het wilde.'),
    ...dated
  }),
  ...of('setting', {
    singleton: technical('Always true: there is one row.', 'Altijd waar: er is één regel.'),
    ...version,
    over_report: business('What happens when more is reported than planned.', 'Wat er gebeurt als er meer wordt gemeld dan gepland.'),
    over_percent: business('How many per cent above the plan are allowed.', 'Hoeveel procent boven de planning is toegestaan.'),
    change_guard: business(
      'Per field what happens when the ERP changes a started order.',
      'Per veld wat er gebeurt als het ERP een gestarte order wijzigt.'
    ),
    product_receipt: business(
      'Whether good pieces of the last operation are received as finished goods.',
      'Of goede stuks van de laatste bewerking als gereed product worden ontvangen.'
    ),
    receipt_location: business('Location of finished goods.', 'Locatie van gereed product.'),
    backflush: business('When material is consumed by itself.', 'Wanneer materiaal vanzelf wordt verbruikt.'),
    ...dated
  })
}
