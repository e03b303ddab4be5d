import { Alert, Button, Group, Progress, Skeleton, Stack, Stepper, Text, Title, UnstyledButton } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router'
import { api, isProblem } from '../../api/client'
import { newKey } from '../../parts/act'
import { Confirm } from '../../parts/confirm'
import { PageHead } from '../../parts/page'
import { notifyDone, ProblemNote } from '../../parts/problem'
import { useKindName } from '../../parts/record-kind'
import { AccessList } from './access'
import { Check } from './check'
import { CodeTables } from './code-tables'
import { DryRunPanel } from './dry-run'
import { Kinds } from './kinds'
import { type MappingDraft, MappingEditor } from './mapping'
import { SettingsForm } from './settings-form'
import type { TryFile } from './try-file'
import { type Adapter, type Connection, useAdapterName, useAdapters, useConnection, useConnectionChanged } from './use-connections'
import classes from './wizard.module.css'

const steps = ['adapter', 'settings', 'access', 'check', 'mapping', 'dryRun', 'activate'] as const
type Step = (typeof steps)[number]
const isStep = (text: string | null): text is Step => steps.some(step => step === text)

/** From nothing to a working connection. From the second step on everything is on the server: one can leave and come back. */
export function Wizard() {
  const { id } = useParams()
  return id === undefined ? <Beginning /> : <GoingOn id={id} />
}

function Frame({ step, go, reached, children }: { step: Step; go: (step: Step) => void; reached: number; children: React.ReactNode }) {
  const { t } = useTranslation()
  const at = steps.indexOf(step)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (step !== 'adapter') heading.current?.focus()
  }, [step])
  return (
    <>
      <PageHead title={t('connections.wizard')} note={t('connections.wizardNote')}>
        <Button component={Link} to="/connections" variant="default">
          {t('connections.later')}
        </Button>
      </PageHead>
      <div className={classes.grid}>
        <Stepper
          className={classes.wide ?? ''}
          orientation="vertical"
          size="sm"
          active={at}
          onStepClick={index => go(steps[index] ?? 'adapter')}
        >
          {steps.map((name, index) => (
            <Stepper.Step
              key={name}
              label={name === 'adapter' ? t('connections.way') : t(`connections.wizard.${name}`)}
              allowStepSelect={index > 0 && index <= reached}
            />
          ))}
        </Stepper>
        <div className={classes.narrow}>
          <Text size="sm" c="dimmed" mb={4}>
            {t('connections.stepOf', { step: at + 1, steps: steps.length })}
          </Text>
          <Progress value={((at + 1) / steps.length) * 100} aria-label={t('connections.stepOf', { step: at + 1, steps: steps.length })} />
        </div>
        <Stack>
          <Title order={2} size="h3" tabIndex={-1} ref={heading}>
            {t(`connections.wizard.${step}`)}
          </Title>
          {children}
        </Stack>
      </div>
    </>
  )
}

function Beginning() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [params, setParams] = useSearchParams()
  const adapters = useAdapters()
  const adapter = adapters.items?.find(({ id }) => id === params.get('adapter'))
  return (
    <Frame step={adapter ? 'settings' : 'adapter'} go={() => setParams({})} reached={0}>
      <ProblemNote error={adapters.error} retry={adapters.refetch} />
      {adapters.isPending ? <Skeleton height={200} /> : null}
      {adapter ? (
        <>
          <SettingsForm
            key={adapter.id}
            adapter={adapter}
            action={t('connections.saveAndGoOn')}
            done={made => navigate(`/connections/new/${made.id}?step=access`, { replace: true })}
          />
          <div>
            <Button variant="subtle" onClick={() => setParams({})}>
              {t('connections.otherAdapter')}
            </Button>
          </div>
        </>
      ) : (
        adapters.items?.map(choice => <AdapterChoice key={choice.id} adapter={choice} choose={() => setParams({ adapter: choice.id })} />)
      )}
    </Frame>
  )
}

function AdapterChoice({ adapter, choose }: { adapter: Adapter; choose: () => void }) {
  const { t, i18n } = useTranslation()
  const name = useAdapterName()(adapter.id)
  const kindName = useKindName()
  const text = i18n.exists(`adapterText.${adapter.id}`)
    ? t(`adapterText.${adapter.id}` as 'adapterText.werkvloer.csv')
    : `${adapter.erp.product} · ${adapter.vendor.name} ${adapter.version}`
  return (
    <UnstyledButton className={classes.choice ?? ''} onClick={choose} aria-label={name}>
      <Text fw={600}>{name}</Text>
      <Text size="sm">{text}</Text>
      <Text size="xs" c="dimmed" mt={4}>
        {t('connections.brings', { kinds: Object.keys(adapter.imports).map(kindName).join(', ') })}
      </Text>
    </UnstyledButton>
  )
}

function GoingOn({ id }: { id: string }) {
  const [params, setParams] = useSearchParams()
  const connection = useConnection(id)
  const adapters = useAdapters()
  const [file, setFile] = useState<TryFile>()
  const accesses = api.useQuery('get', '/api/v1/connections/{connection}/access', { params: { path: { connection: id } } })
  const asked = params.get('step')
  const open = accesses.data?.items.some(access => access.revokedAt === null) ?? false
  // Who comes back is put where something is still to be done.
  const step: Step = isStep(asked) && asked !== 'adapter' ? asked : open ? 'check' : 'access'
  const go = (next: Step) => setParams({ step: next })
  const adapter = adapters.items?.find(one => one.id === connection.data?.adapter)
  const error = connection.error ?? adapters.error
  return (
    <Frame step={step} go={go} reached={steps.length - 1}>
      <ProblemNote error={error} />
      {connection.data && adapter && (isStep(asked) || !accesses.isPending) ? (
        <StepBody step={step} go={go} connection={connection.data} adapter={adapter} file={file} choose={setFile} />
      ) : error ? null : (
        <Skeleton height={300} />
      )}
    </Frame>
  )
}

function StepBody({
  step,
  go,
  connection,
  adapter,
  file,
  choose
}: {
  step: Step
  go: (step: Step) => void
  connection: Connection
  adapter: Adapter
  file: TryFile | undefined
  choose: (file: TryFile | undefined) => void
}) {
  const { t } = useTranslation()
  const [draft, setDraft] = useState<MappingDraft>()
  const next = steps[steps.indexOf(step) + 1] ?? 'activate'
  const before = steps[steps.indexOf(step) - 1] ?? 'settings'
  const body = {
    adapter: null,
    settings: (
      <SettingsForm
        key={connection.id}
        adapter={adapter}
        connection={connection}
        action={t('connections.saveAndGoOn')}
        done={() => go('access')}
      />
    ),
    access: <AccessList connection={connection} />,
    check: <Check id={connection.id} atOnce />,
    mapping: (
      <>
        <Kinds key={connection.version} connection={connection} adapter={adapter} />
        <Title order={3} size="h4" mt="md">
          {t('connections.fieldsTitle')}
        </Title>
        <Text size="sm" c="dimmed" maw={680}>
          {t('connections.mappingIntro')}
        </Text>
        <MappingEditor connection={connection} adapter={adapter} file={file} choose={choose} draft={draft} keep={setDraft} />
        <Title order={3} size="h4" mt="md">
          {t('connections.tables')}
        </Title>
        <CodeTables connection={connection} adapter={adapter} />
      </>
    ),
    dryRun: <DryRunPanel connection={connection} adapter={adapter} file={file} choose={choose} />,
    activate: <Activate connection={connection} />
  }[step]
  return (
    <>
      {body}
      <Group mt="md">
        {step === 'settings' ? null : (
          <Button variant="default" onClick={() => go(before)}>
            {t('connections.back')}
          </Button>
        )}
        {step === 'settings' || step === 'activate' ? null : (
          <Confirm
            title={t('connections.unsavedTitle')}
            action={t('connections.withoutSaving')}
            onConfirm={() => {
              setDraft(undefined)
              go(next)
            }}
            target={ask => <Button onClick={draft ? ask : () => go(next)}>{t('connections.next')}</Button>}
          >
            {t('connections.unsavedText')}
          </Confirm>
        )}
      </Group>
    </>
  )
}

function Activate({ connection }: { connection: Connection }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const changed = useConnectionChanged()
  const [key] = useState(newKey)
  const activate = api.useMutation('post', '/api/v1/connections/{id}/activate', {
    onSuccess: () => {
      changed()
      notifyDone(t('connections.isOn', { name: connection.name }))
      navigate(`/connections/${connection.id}`)
    }
  })
  if (connection.state !== 'draft') {
    return (
      <Alert color="teal" title={t('connections.isOn', { name: connection.name })}>
        <Button component={Link} to={`/connections/${connection.id}`} variant="default">
          {t('connections.toConnection')}
        </Button>
      </Alert>
    )
  }
  return (
    <Stack maw={640}>
      <Text>{t('connections.activateText')}</Text>
      <ProblemNote error={activate.error} />
      {isProblem(activate.error) && activate.error.code === 'connection_not_ready' ? <Check id={connection.id} atOnce /> : null}
      <div>
        <Button
          size="md"
          loading={activate.isPending}
          onClick={() => activate.mutate({ params: { path: { id: connection.id } }, headers: key, body: {} })}
        >
          {t('connections.activate')}
        </Button>
      </div>
    </Stack>
  )
}
