import { IconMoodCheck, IconSearch } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Empty } from '../../parts/page'

export function NoErrors({ filtered }: { filtered: boolean }) {
  const { t } = useTranslation()
  return filtered ? (
    <Empty icon={IconSearch} title={t('errors.none')}>
      {t('errors.noneText')}
    </Empty>
  ) : (
    <Empty icon={IconMoodCheck} title={t('errors.empty')}>
      {t('errors.emptyText')}
    </Empty>
  )
}
