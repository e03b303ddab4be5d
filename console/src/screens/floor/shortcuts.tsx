import { Group, Kbd, Modal, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

const keys = [
  ['Enter', 'scan'],
  ['Space', 'toggle'],
  ['+', 'good'],
  ['-', 'scrap'],
  ['Ctrl + Enter', 'report'],
  ['Esc', 'back'],
  ['?', 'help']
] as const

/** The keys of the floor. They work while the scan box is empty, and never in another field. */
export function Shortcuts({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation()
  return (
    <Modal opened={opened} onClose={close} title={t('floor.shortcuts')} centered closeButtonProps={{ 'aria-label': t('act.close') }}>
      <Stack gap="sm">
        {keys.map(([key, what]) => (
          <Group key={key} wrap="nowrap">
            <Kbd size="md" miw={72} ta="center">
              {key === 'Space' ? t('floor.space') : key}
            </Kbd>
            <Text size="sm">{t(`floor.key.${what}`)}</Text>
          </Group>
        ))}
        <Text size="sm" c="dimmed">
          {t('floor.keysText')}
        </Text>
      </Stack>
    </Modal>
  )
}
