import { FileInput, Group, Select, Text } from '@mantine/core'
import { IconFileUpload } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useKindName } from '../../parts/record-kind'
import type { Adapter } from './use-connections'

/** A file of the customer, as the dry run takes it. It stays in the page and is stored nowhere. */
export interface TryFile {
  readonly name: string
  readonly base64: string
}

const readFile = (file: File): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result).replace(/^data:[^,]*,/, ''))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(file)
  })

/** Chooses a file of one's own; where the ERP calls, also the address to which it would come. */
export function FilePicker({
  adapter,
  file,
  choose
}: {
  adapter: Adapter
  file: TryFile | undefined
  choose: (file: TryFile | undefined) => void
}) {
  const { t } = useTranslation()
  const kindName = useKindName()
  const imports = Object.entries(adapter.imports)
  const patterns = imports.flatMap(([kind, { files }]) => (files ? [`${files.pattern} (${kindName(kind)})`] : []))
  const routes = imports.flatMap(([kind, { routes: own = [] }]) =>
    own.map(route => ({ value: route, label: `${route} (${kindName(kind)})` }))
  )
  const byRoute = patterns.length === 0 && routes.length > 0
  const [route, setRoute] = useState(routes[0]?.value ?? '')
  const [picked, setPicked] = useState<File | null>(null)
  const [unreadable, setUnreadable] = useState(false)
  const take = async (given: File | null, as: string) => {
    setPicked(given)
    setUnreadable(false)
    try {
      choose(given ? { name: byRoute ? as : given.name, base64: await readFile(given) } : undefined)
    } catch {
      setUnreadable(true)
      choose(undefined)
    }
  }
  return (
    <Group align="flex-start">
      {byRoute ? (
        <Select
          label={t('connections.route')}
          w={260}
          allowDeselect={false}
          data={routes}
          value={route}
          onChange={value => {
            setRoute(value ?? route)
            if (picked && value) void take(picked, value)
          }}
        />
      ) : null}
      <FileInput
        label={t('connections.file')}
        description={patterns.length > 0 ? t('connections.fileNames', { names: patterns.join(', ') }) : t('connections.fileStays')}
        placeholder={file && !picked ? file.name : t('connections.chooseFile')}
        leftSection={<IconFileUpload size={18} />}
        clearable
        clearButtonProps={{ 'aria-label': t('connections.noFile') }}
        miw={280}
        flex={1}
        value={picked}
        onChange={given => void take(given, route)}
        error={unreadable ? t('connections.fileUnreadable') : null}
      />
      {patterns.length > 0 ? (
        <Text size="xs" c="dimmed" w="100%">
          {t('connections.fileStays')}
        </Text>
      ) : null}
    </Group>
  )
}
