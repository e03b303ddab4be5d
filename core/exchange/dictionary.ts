import type { Category, Dictionary } from '../host.ts'

type Words = readonly [en: string, nl: string, category: Category]

const made: Words = ['When the row was made.', 'Wanneer de regel is gemaakt.', 'technical']
const changed: Words = ['When the row last changed.', 'Wanneer de regel voor het laatst is gewijzigd.', 'technical']
const id: Words = ['Our own id.', 'Onze eigen sleutel.', 'technical']
const connection: Words = ['The connection to the ERP.', 'De koppeling met het ERP.', 'technical']
const seq: Words = ['Running number, by which rows are ordered.', 'Volgnummer waarop regels worden geordend.', 'technical']
const kind: Words = ['Kind of record.', 'Soort gegeven.', 'business']

const tables: Readonly<Record<string, Readonly<Record<string, Words>>>> = {
  'core.migration': {
    number: ['Number of the migration.', 'Nummer van de migratie.', 'technical'],
    name: ['File name of the migration.', 'Bestandsnaam van de migratie.', 'technical'],
    hash: ['SHA-256 of the file when it ran.', 'SHA-256 van het bestand toen het liep.', 'technical'],
    ms: ['Milliseconds that it took.', 'Milliseconden die het duurde.', 'technical'],
    created_at: made
  },
  'core.lease': {
    name: ['The work that is held.', 'Het werk dat wordt vastgehouden.', 'technical'],
    holder: ['The process that holds it.', 'Het proces dat het vasthoudt.', 'technical'],
    fence: [
      'Rises with each holder and is checked in each commit.',
      'Stijgt met elke houder en wordt bij elke vastlegging gecontroleerd.',
      'technical'
    ],
    expires_at: ['When it is free again without a sign of life.', 'Wanneer het zonder levensteken weer vrij is.', 'technical'],
    created_at: made,
    changed_at: changed
  },
  'core.idempotency': {
    principal: ['Who sent the request: kind and id.', 'Wie het verzoek stuurde: soort en sleutel.', 'personal'],
    key: ['Key that the sender gave the request.', 'Sleutel die de afzender aan het verzoek gaf.', 'technical'],
    fingerprint: ['SHA-256 of method, address and body.', 'SHA-256 van methode, adres en inhoud.', 'technical'],
    status: ['HTTP status of the answer.', 'HTTP-status van het antwoord.', 'technical'],
    result: ['Ids from which the answer is made again.', 'Sleutels waaruit het antwoord opnieuw wordt gemaakt.', 'technical'],
    created_at: made
  },
  'journal.entry': {
    seq,
    id,
    epoch: ['Epoch of the database; a restore starts a new one.', 'Tijdvak van de database; herstel begint een nieuw.', 'technical'],
    xid: [
      'Number of the transaction, which decides the order of sealing.',
      'Nummer van de transactie, dat de volgorde van verzegelen bepaalt.',
      'technical'
    ],
    at: ['When it was done.', 'Wanneer het is gedaan.', 'personal'],
    actor_kind: ['What kind of actor did it.', 'Wat voor soort handelende het deed.', 'technical'],
    actor_id: ['Id of who did it; never a name.', 'Sleutel van wie het deed; nooit een naam.', 'personal'],
    act: ['What was done.', 'Wat is gedaan.', 'business'],
    subject: ['Table of the thing it was done to.', 'Tabel van het ding waaraan het is gedaan.', 'technical'],
    subject_id: ['Id of that thing.', 'Sleutel van dat ding.', 'technical'],
    request_id: ['Number of the request, as in the log.', 'Nummer van het verzoek, zoals in het logboek.', 'technical'],
    data: ['Ids and codes that explain it.', 'Sleutels en codes die het toelichten.', 'business'],
    created_at: made
  },
  'journal.seal': {
    number: ['Number of the seal.', 'Nummer van het zegel.', 'technical'],
    epoch: ['Epoch that it belongs to.', 'Tijdvak waartoe het behoort.', 'technical'],
    from_xid: ['First transaction that it covers.', 'Eerste transactie die het dekt.', 'technical'],
    to_xid: ['First transaction that it no longer covers.', 'Eerste transactie die het niet meer dekt.', 'technical'],
    entries: ['How many entries it covers.', 'Hoeveel regels het dekt.', 'technical'],
    previous: ['Hash of the seal before it.', 'Hash van het zegel ervoor.', 'technical'],
    hash: ['Hash over the entries and the seal before.', 'Hash over de regels en het zegel ervoor.', 'technical'],
    at: ['When it was made.', 'Wanneer het is gemaakt.', 'technical'],
    created_at: made
  },
  'journal.epoch': {
    number: ['Number of the epoch.', 'Nummer van het tijdvak.', 'technical'],
    reason: ['Why it began.', 'Waarom het begon.', 'technical'],
    started_at: ['When it began.', 'Wanneer het begon.', 'technical'],
    created_at: made
  },
  'exchange.connection': {
    id,
    name: ['What people call the connection.', 'Hoe mensen de koppeling noemen.', 'business'],
    adapter: ['Adapter that translates.', 'Adapter die vertaalt.', 'technical'],
    adapter_version: [
      'Version of the adapter when the settings were saved.',
      'Versie van de adapter toen de instellingen werden bewaard.',
      'technical'
    ],
    config: ['Settings that are no secret.', 'Instellingen die niet geheim zijn.', 'business'],
    secrets_sealed: ['Secret settings, encrypted.', 'Geheime instellingen, versleuteld.', 'secret'],
    config_version: ['Form of the settings.', 'Vorm van de instellingen.', 'technical'],
    time_zone: ['Time zone of local times of the ERP.', 'Tijdzone van plaatselijke tijden van het ERP.', 'business'],
    locale: ['Language of the ERP.', 'Taal van het ERP.', 'business'],
    state: ['Draft, active or paused.', 'Concept, actief of gepauzeerd.', 'business'],
    paused_code: ['Code of the error for which the product paused it.', 'Code van de fout waarom het product haar pauzeerde.', 'business'],
    paused_reason: ['Why it is paused.', 'Waarom zij gepauzeerd is.', 'business'],
    version: ['Rises with each change.', 'Stijgt met elke wijziging.', 'technical'],
    last_in_at: ['When something last came in.', 'Wanneer er voor het laatst iets binnenkwam.', 'business'],
    last_out_at: ['When something last went out.', 'Wanneer er voor het laatst iets uitging.', 'business'],
    created_at: made,
    changed_at: changed
  },
  'exchange.mapping': {
    connection_id: connection,
    version: ['Version of mapping and code tables.', 'Versie van toewijzing en codetabellen.', 'technical'],
    mapping: ['How fields of the ERP become ours and back.', 'Hoe velden van het ERP de onze worden en terug.', 'business'],
    code_tables: ['Codes of the ERP and ours.', 'Codes van het ERP en de onze.', 'business'],
    created_by: ['Who made this version: kind and id.', 'Wie deze versie maakte: soort en sleutel.', 'personal'],
    created_at: made
  },
  'exchange.kind_owner': {
    direction: ['In or out.', 'In of uit.', 'technical'],
    kind,
    connection_id: ['The one connection that brings or takes this kind.', 'De ene koppeling die deze soort brengt of neemt.', 'technical'],
    created_at: made,
    changed_at: changed
  },
  'exchange.access': {
    id,
    connection_id: connection,
    kind: ['SFTP key, SFTP password or token.', 'SFTP-sleutel, SFTP-wachtwoord of token.', 'technical'],
    label: ['What people call it.', 'Hoe mensen het noemen.', 'business'],
    lookup: [
      'SFTP user name, or the part of a token that finds it.',
      'SFTP-gebruikersnaam, of het deel van een token waarmee het wordt gevonden.',
      'technical'
    ],
    digest: ["SHA-256 of a token's secret.", 'SHA-256 van het geheim van een token.', 'secret'],
    password_phc: ['Hash of a password.', 'Hash van een wachtwoord.', 'secret'],
    public_key: ['Public key of the ERP.', 'Publieke sleutel van het ERP.', 'technical'],
    revoked_at: ['When it was revoked.', 'Wanneer het is ingetrokken.', 'business'],
    last_used_at: ['When it was last used.', 'Wanneer het voor het laatst is gebruikt.', 'business'],
    created_at: made,
    changed_at: changed
  },
  'exchange.delivery': {
    id,
    seq: ['Running number, also in names of archived files.', 'Volgnummer, ook in namen van gearchiveerde bestanden.', 'business'],
    connection_id: connection,
    way: ['By SFTP, by call, fetched, or replayed.', 'Via SFTP, via aanroep, opgehaald of herhaald.', 'business'],
    name: ['File name, route, or kind of a fetch.', 'Bestandsnaam, route of soort van ophalen.', 'business'],
    size: ['Size in bytes.', 'Grootte in bytes.', 'technical'],
    sha256: ['SHA-256 of the bytes.', 'SHA-256 van de bytes.', 'technical'],
    blob_id: ['Where the encrypted bytes are kept.', 'Waar de versleutelde bytes worden bewaard.', 'technical'],
    state: ['How far it is.', 'Hoever het is.', 'business'],
    position: ['Items that are taken over for good.', 'Gegevens die definitief zijn overgenomen.', 'technical'],
    chunk_done: [
      'Records behind the position that are taken over already.',
      'Gegevens na de positie die al zijn overgenomen.',
      'technical'
    ],
    read_count: ['Records read.', 'Gelezen gegevens.', 'business'],
    new_count: ['New records.', 'Nieuwe gegevens.', 'business'],
    changed_count: ['Changed records.', 'Gewijzigde gegevens.', 'business'],
    unchanged_count: ['Records as we had them.', 'Gegevens zoals wij ze hadden.', 'business'],
    stale_count: ['Records older than what we have.', 'Gegevens ouder dan wat wij hebben.', 'business'],
    closed_count: ['Records that were closed.', 'Gegevens die zijn afgesloten.', 'business'],
    rejected_count: ['Records that did not get through.', 'Gegevens die er niet door kwamen.', 'business'],
    held_count: ['Records that wait for a person.', 'Gegevens die op een mens wachten.', 'business'],
    duplicate_count: [
      'Rows made void by a later row of the same key.',
      'Regels die door een latere regel met dezelfde sleutel vervielen.',
      'business'
    ],
    ack_count: ['Acknowledgements taken.', 'Verwerkte bevestigingen.', 'business'],
    pending_close: [
      'What a snapshot would close once a person agrees.',
      'Wat een momentopname zou afsluiten als een mens instemt.',
      'business'
    ],
    unknown_columns: [
      'Columns that no mapping names, with how often they came.',
      'Kolommen die geen toewijzing noemt, met hoe vaak ze kwamen.',
      'technical'
    ],
    mapping_version: ['Mapping that it met.', 'Toewijzing die gold.', 'technical'],
    replay_of: ['The delivery that this one repeats.', 'De levering die deze herhaalt.', 'technical'],
    replay_rejects_only: ['Whether only what was rejected is repeated.', 'Of alleen het afgewezene wordt herhaald.', 'technical'],
    reason_code: ['Code of what happened to it.', 'Code van wat ermee gebeurde.', 'business'],
    reason: ['What happened to it, as a sentence.', 'Wat ermee gebeurde, als zin.', 'business'],
    attempts: ['Tries that failed in a row.', 'Pogingen die achtereen mislukten.', 'technical'],
    next_attempt_at: ['When it is tried again.', 'Wanneer het opnieuw wordt geprobeerd.', 'technical'],
    inbox_name: ['Name under which the ERP still sees it.', 'Naam waaronder het ERP het nog ziet.', 'technical'],
    removed_at: ['When the sender took it back.', 'Wanneer de afzender het terugnam.', 'technical'],
    closed_at: ['When the upload ended cleanly.', 'Wanneer het uploaden netjes eindigde.', 'technical'],
    modified_at: ["The file's own time, as the sender set it.", 'De eigen tijd van het bestand, zoals de afzender die zette.', 'technical'],
    received_at: ['When it began to arrive.', 'Wanneer het begon aan te komen.', 'business'],
    stored_at: ['When it was whole and stored.', 'Wanneer het heel en opgeslagen was.', 'business'],
    finished_at: ['When work on it ended.', 'Wanneer het werk eraan eindigde.', 'business'],
    created_at: made,
    changed_at: changed
  },
  'exchange.record_state': {
    connection_id: connection,
    kind,
    key: ["The ERP's key; of a person its blind index.", 'Sleutel van het ERP; van een persoon de blinde index.', 'business'],
    key_sealed: ['Key of a person, encrypted.', 'Sleutel van een persoon, versleuteld.', 'personal'],
    scope: ['Part of the kind that a partial snapshot named.', 'Deel van de soort dat een gedeeltelijke momentopname noemde.', 'business'],
    revision_seq: ["The ERP's revision, as a number.", 'Revisie van het ERP, als getal.', 'technical'],
    revision_at: ["The ERP's revision, as a time.", 'Revisie van het ERP, als tijd.', 'technical'],
    hash: ['Keyed hash of the record, to see changes.', 'Hash met sleutel van het gegeven, om wijzigingen te zien.', 'technical'],
    fields: ['Shortened keyed hash of each field.', 'Ingekorte hash met sleutel van elk veld.', 'technical'],
    delivery_seq: ['Delivery that brought it.', 'Levering die het bracht.', 'technical'],
    seen_seq: ['Delivery that last named it.', 'Levering die het het laatst noemde.', 'technical'],
    present: ['Whether the ERP still has it.', 'Of het ERP het nog heeft.', 'business'],
    created_at: made,
    changed_at: changed
  },
  'exchange.pull_state': {
    connection_id: connection,
    kind,
    checkpoint: ['How far was fetched, in the words of the adapter.', 'Tot waar is opgehaald, in de woorden van de adapter.', 'technical'],
    adapter_version: ['Version of the adapter that wrote the checkpoint.', 'Versie van de adapter die het punt schreef.', 'technical'],
    every_seconds: ['Seconds between two fetches.', 'Seconden tussen twee keer ophalen.', 'business'],
    next_at: ['When it is fetched next.', 'Wanneer er weer wordt opgehaald.', 'business'],
    last_started_at: ['When fetching last began.', 'Wanneer ophalen het laatst begon.', 'business'],
    last_finished_at: ['When fetching last went well.', 'Wanneer ophalen het laatst goed ging.', 'business'],
    attempts: ['Fetches that failed in a row.', 'Keren dat ophalen achtereen mislukte.', 'technical'],
    reason: ['Why the last one failed.', 'Waarom de laatste mislukte.', 'business'],
    created_at: made,
    changed_at: changed
  },
  'exchange.reject': {
    id,
    seq,
    connection_id: connection,
    direction: ['In or out.', 'In of uit.', 'business'],
    delivery_id: ['Delivery that it came with.', 'Levering waarmee het kwam.', 'technical'],
    item: ['Place in the delivery.', 'Plaats in de levering.', 'technical'],
    outbox_seq: ['Message to the ERP that was refused.', 'Bericht aan het ERP dat is geweigerd.', 'technical'],
    kind,
    record_key: ["The ERP's key; empty for people.", 'Sleutel van het ERP; leeg bij personen.', 'business'],
    line: ['Line of the file.', 'Regel van het bestand.', 'business'],
    pointer: ['Place in the document.', 'Plaats in het document.', 'business'],
    code: ['Code of what is wrong.', 'Code van wat er mis is.', 'business'],
    message: ['What is wrong, without what the ERP sent.', 'Wat er mis is, zonder wat het ERP stuurde.', 'business'],
    field: ['Field that is wrong.', 'Veld dat niet klopt.', 'business'],
    value_sealed: ['Value of that field, encrypted.', 'Waarde van dat veld, versleuteld.', 'personal'],
    row_sealed: ['The whole row, encrypted.', 'De hele regel, versleuteld.', 'personal'],
    edited_sealed: ['What a person put in its place, encrypted.', 'Wat een mens ervoor in de plaats zette, versleuteld.', 'personal'],
    subject_mac: ['Keyed hash of kind and key, or of the row.', 'Hash met sleutel van soort en sleutel, of van de regel.', 'technical'],
    keyless: ['No key could be read.', 'Er kon geen sleutel worden gelezen.', 'technical'],
    code_table: ['Code table that lacks a translation.', 'Codetabel waarin een vertaling ontbreekt.', 'business'],
    cause: ['Keyed hash, equal for entries of one cause.', 'Hash met sleutel, gelijk bij één oorzaak.', 'technical'],
    state: ['Open, replaying, resolved or skipped.', 'Open, wordt herhaald, opgelost of overgeslagen.', 'business'],
    attempts: ['How often it was tried.', 'Hoe vaak het is geprobeerd.', 'technical'],
    resolution: ['How it ended.', 'Hoe het eindigde.', 'business'],
    resolved_by: ['Who ended it: kind and id.', 'Wie het beëindigde: soort en sleutel.', 'personal'],
    resolved_at: ['When it ended.', 'Wanneer het eindigde.', 'business'],
    created_at: made,
    changed_at: changed
  },
  'exchange.ordering': {
    connection_id: connection,
    ordering_key: ['What keeps messages in order.', 'Wat berichten op volgorde houdt.', 'business'],
    last_seq: ['Last number given.', 'Laatst gegeven nummer.', 'technical'],
    created_at: made,
    changed_at: changed
  },
  'exchange.batch': {
    id,
    seq,
    connection_id: connection,
    ordering_key: ['What keeps messages in order.', 'Wat berichten op volgorde houdt.', 'business'],
    key: ['Name of the batch towards the ERP.', 'Naam van het pakket naar het ERP.', 'technical'],
    items_sealed: ['The messages exactly as sent, encrypted.', 'De berichten precies zoals verzonden, versleuteld.', 'personal'],
    state: ['Open or closed.', 'Open of gesloten.', 'technical'],
    created_at: made,
    changed_at: changed
  },
  'exchange.outbox': {
    seq,
    key: ['Name of the message towards the ERP; stable for ever.', 'Naam van het bericht naar het ERP; voor altijd gelijk.', 'business'],
    connection_id: connection,
    kind,
    record: ['The message; a person is named by our id.', 'Het bericht; een persoon wordt met onze sleutel genoemd.', 'personal'],
    ordering_key: ['What keeps messages in order.', 'Wat berichten op volgorde houdt.', 'business'],
    ordering_seq: ['Place within that order.', 'Plaats in die volgorde.', 'technical'],
    reverses: ['Message that this one takes back.', 'Bericht dat dit terugneemt.', 'business'],
    state: ['How far it is.', 'Hoever het is.', 'business'],
    batch_id: ['Batch that carries it.', 'Pakket dat het draagt.', 'technical'],
    attempts: ['How often it was sent.', 'Hoe vaak het is verzonden.', 'technical'],
    lookups: ['How often it was looked up in the ERP.', 'Hoe vaak het in het ERP is opgezocht.', 'technical'],
    not_found_at: ['When a look-up did not find it.', 'Wanneer opzoeken het niet vond.', 'technical'],
    previous: ['How the last attempt ended.', 'Hoe de laatste poging eindigde.', 'technical'],
    next_attempt_at: ['When it is tried or looked up next.', 'Wanneer het weer wordt geprobeerd of opgezocht.', 'technical'],
    confirm_by: ['When the ERP should have acknowledged it.', 'Wanneer het ERP het bevestigd moet hebben.', 'business'],
    document: ["The ERP's document.", 'Document van het ERP.', 'business'],
    document_line: ['Line of that document.', 'Regel van dat document.', 'business'],
    reject_code: ["Code of the ERP's refusal.", 'Code van de weigering door het ERP.', 'business'],
    reject_message: ["The ERP's own reason.", 'Eigen reden van het ERP.', 'business'],
    alarm: ['What a person has to look at.', 'Waar een mens naar moet kijken.', 'business'],
    sent_at: ['When it was last sent.', 'Wanneer het voor het laatst is verzonden.', 'business'],
    settled_at: ['When it came to its end.', 'Wanneer het tot een einde kwam.', 'business'],
    created_at: made,
    changed_at: changed
  },
  'exchange.outbox_event': {
    seq,
    outbox_seq: ['The message.', 'Het bericht.', 'technical'],
    at: ['When it happened.', 'Wanneer het gebeurde.', 'business'],
    event: ['What happened.', 'Wat er gebeurde.', 'business'],
    state: ['State after it.', 'Stand erna.', 'business'],
    detail: ['What the ERP or a person said.', 'Wat het ERP of een mens zei.', 'business'],
    actor: ['Who caused it: an id.', 'Wie het veroorzaakte: een sleutel.', 'personal'],
    created_at: made
  },
  'exchange.outbox_file': {
    seq,
    connection_id: connection,
    name: ['File name or document name.', 'Bestandsnaam of documentnaam.', 'business'],
    body_sealed: ['Content, encrypted.', 'Inhoud, versleuteld.', 'personal'],
    size: ['Size in bytes.', 'Grootte in bytes.', 'technical'],
    sha256: ['SHA-256 of the content.', 'SHA-256 van de inhoud.', 'technical'],
    fetched_at: ['When the ERP fetched it.', 'Wanneer het ERP het ophaalde.', 'business'],
    removed_at: ['When the ERP removed it.', 'Wanneer het ERP het verwijderde.', 'business'],
    created_at: made,
    changed_at: changed
  },
  'exchange.adapter_state': {
    connection_id: connection,
    state_sealed: ["The adapter's own memory, encrypted.", 'Eigen geheugen van de adapter, versleuteld.', 'secret'],
    version: ['Rises with each change.', 'Stijgt met elke wijziging.', 'technical'],
    created_at: made,
    changed_at: changed
  }
}

/** Every column that core owns, in both languages. */
export const dictionary: Dictionary = Object.fromEntries(
  Object.entries(tables).flatMap(([table, columns]) =>
    Object.entries(columns).map(([column, [en, nl, category]]) => [`${table}.${column}`, { en, nl, category }])
  )
)
