import type { Dictionary } from '../../core/index.ts'

type Sentence = Dictionary[string]
const business = (en: string, nl: string): Sentence => ({ en, nl, category: 'business' })
const technical = (en: string, nl: string): Sentence => ({ en, nl, category: 'technical' })
const personal = (en: string, nl: string): Sentence => ({ en, nl, category: 'personal' })

const created = { created_at: technical('When the row was made.', 'Wanneer de regel is gemaakt.') }
const dated = { ...created, changed_at: technical('When the row last changed.', 'Wanneer de regel voor het laatst is gewijzigd.') }
const id = { id: technical('Our own key of the row.', 'Onze eigen sleutel van de regel.') }
const seq = { seq: technical('Order in which rows were made.', 'Volgorde waarin regels zijn gemaakt.') }
const place = {
  article_id: business('The article.', 'Het artikel.'),
  location_id: business('The location.', 'De magazijnlocatie.'),
  lot: business('Lot number; empty without lots.', 'Partijnummer; leeg zonder partijen.')
}
const setting = {
  singleton: technical('Always true: there is one row.', 'Altijd waar: er is één regel.'),
  version: technical('Rises with every change of the setting.', 'Loopt op bij elke wijziging van de instelling.')
}

const of = (table: string, columns: Dictionary): Dictionary =>
  Object.fromEntries(Object.entries(columns).map(([column, text]) => [`inventory.${table}.${column}`, text]))

export const dictionary: Dictionary = {
  ...of('article', {
    ...id,
    ...seq,
    number: business('Article number of the ERP.', 'Artikelnummer van het ERP.'),
    known: business(
      'False while only the number was seen, on an order or in a stock list.',
      'Onwaar zolang alleen het nummer is gezien, op een order of in een voorraadlijst.'
    ),
    description: business('Description.', 'Omschrijving.'),
    unit: business('The unit its stock is counted in.', 'De eenheid waarin de voorraad wordt geteld.'),
    barcode: business('Barcode on the article.', 'Streepjescode op het artikel.'),
    blocked: business('Whether it may not be used.', 'Of het niet gebruikt mag worden.'),
    backflush: business(
      'When it is consumed by itself; empty: as the setting says.',
      'Wanneer het vanzelf wordt verbruikt; leeg: zoals de instelling zegt.'
    ),
    ...dated
  }),
  ...of('warehouse', { code: business('Code of the warehouse.', 'Code van het magazijn.'), ...created }),
  ...of('location', {
    ...id,
    ...seq,
    code: business('Code of the location.', 'Code van de magazijnlocatie.'),
    warehouse_code: business('The warehouse it lies in.', 'Het magazijn waarin zij ligt.'),
    description: business('Description.', 'Omschrijving.'),
    blocked: business('Whether it may not be used.', 'Of zij niet gebruikt mag worden.'),
    ...dated
  }),
  ...of('level', {
    ...place,
    quantity: business('Stock as far as we know.', 'Voorraad voor zover wij weten.'),
    snapshot_quantity: business('Stock as the ERP last gave it.', 'Voorraad zoals het ERP die het laatst gaf.'),
    snapshot_as_of: business('The instant of that figure.', 'Het moment van dat getal.'),
    snapshot_connection: technical('Connection that gave it.', 'Koppeling die het gaf.'),
    snapshot_key: technical("Key of the ERP's stock record.", 'Sleutel van de voorraadregel in het ERP.'),
    ...dated
  }),
  ...of('ledger', {
    ...id,
    ...seq,
    kind: business(
      'Issue, return, receipt, transfer, adjustment, count, reversal or snapshot.',
      'Uitgifte, retour, ontvangst, verplaatsing, correctie, telling, tegenboeking of momentopname.'
    ),
    ...place,
    quantity: business('Signed quantity.', 'Hoeveelheid met teken.'),
    unit: business('Unit of the quantity.', 'Eenheid van de hoeveelheid.'),
    order_number: business('Work order it was for.', 'Werkorder waarvoor het was.'),
    operation_number: business('Operation it was for.', 'Bewerking waarvoor het was.'),
    line: business('Material line of the order.', 'Materiaalregel van de order.'),
    pick_line_id: business('Pick list line it was for.', 'Picklijstregel waarvoor het was.'),
    act_id: technical('Rows of one act share it.', 'Regels van één handeling delen het.'),
    reverses: business('The row this one takes back.', 'De regel die deze terugneemt.'),
    reason: business('Why, where a reason was asked.', 'Waarom, waar een reden werd gevraagd.'),
    outbox_key: technical('Key of its message to the ERP.', 'Sleutel van het bericht aan het ERP.'),
    moved_by: personal('Id of the account that did it.', 'Sleutel van het account dat het deed.'),
    at: business('When it happened.', 'Wanneer het gebeurde.'),
    ...created
  }),
  ...of('pending', {
    ledger_id: technical('The transaction.', 'De voorraadmutatie.'),
    ...place,
    quantity: business('Signed quantity.', 'Hoeveelheid met teken.'),
    outbox_key: technical('Key of its message to the ERP.', 'Sleutel van het bericht aan het ERP.'),
    at: business('When it happened.', 'Wanneer het gebeurde.'),
    ...created
  }),
  ...of('pick_list', {
    ...id,
    ...seq,
    number: business('Number of the pick list.', 'Nummer van de picklijst.'),
    connection_id: technical('Connection it came from.', 'Koppeling waarvan zij kwam.'),
    order_number: business('Work order it is for.', 'Werkorder waarvoor zij is.'),
    status: business('Open, picking, picked, short or closed.', 'Open, bezig, gepickt, tekort of gesloten.'),
    ...dated
  }),
  ...of('pick_line', {
    ...id,
    list_id: technical('The pick list.', 'De picklijst.'),
    line: business('Number of the line.', 'Nummer van de regel.'),
    article: business('Article number.', 'Artikelnummer.'),
    requested: business('Quantity asked for.', 'Gevraagde hoeveelheid.'),
    unit: business('Unit of the quantities.', 'Eenheid van de hoeveelheden.'),
    location: business('Location the ERP names.', 'Locatie die het ERP noemt.'),
    picked: business('Quantity picked.', 'Gepickte hoeveelheid.'),
    short_reason: business('Why less was picked.', 'Waarom er minder is gepickt.'),
    present: technical('False when the ERP took the line away.', 'Onwaar als het ERP de regel heeft weggehaald.'),
    ...dated
  }),
  ...of('setting', {
    ...setting,
    negative_stock: business('Whether stock may go below zero.', 'Of voorraad onder nul mag komen.'),
    ...dated
  })
}
