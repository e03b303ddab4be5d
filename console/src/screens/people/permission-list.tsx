import { Checkbox, Fieldset, SimpleGrid, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { usePermissionText } from '../../parts/role-name'

/** The whole catalogue by area; what is held is ticked. */
export function PermissionList({ held, change }: { held: readonly string[]; change?: (held: string[]) => void }) {
  const { t, i18n } = useTranslation()
  const textOf = usePermissionText()
  const catalogue = api.useQuery('get', '/api/v1/permissions', {}, { staleTime: 300_000 })
  const areas = Map.groupBy(catalogue.data?.items ?? [], item => item.permission.split('.')[0] ?? '')
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      {[...areas].map(([area, items]) => (
        <Fieldset key={area} legend={i18n.exists(`area.${area}`) ? t(`area.${area}` as 'area.jobs') : area}>
          <Stack gap="xs">
            {items.map(({ permission, allows }) => (
              <Checkbox
                key={permission}
                label={textOf(permission, allows)}
                description={permission}
                checked={held.includes(permission)}
                readOnly={!change}
                onChange={event => change?.(event.currentTarget.checked ? [...held, permission] : held.filter(one => one !== permission))}
              />
            ))}
          </Stack>
        </Fieldset>
      ))}
    </SimpleGrid>
  )
}
