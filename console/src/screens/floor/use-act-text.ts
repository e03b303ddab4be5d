import { useTranslation } from 'react-i18next'
import { useFormat } from '../../format'
import type { Act } from '../../parts/acts'
import { isZero } from '../../parts/quantity'

interface Amounts {
  readonly good?: string
  readonly scrap?: string
  readonly rework?: string
}

/** "5 good, 1 scrap"; nothing when all are zero. */
export function useAmountsText(): (amounts: Amounts) => string {
  const { t } = useTranslation()
  const format = useFormat()
  return ({ good = '0', scrap = '0', rework = '0' }) =>
    [
      isZero(good) ? null : t('floor.amountGood', { quantity: format.quantity(good) }),
      isZero(scrap) ? null : t('floor.amountScrap', { quantity: format.quantity(scrap) }),
      isZero(rework) ? null : t('floor.amountRework', { quantity: format.quantity(rework) })
    ]
      .filter(part => part !== null)
      .join(', ')
}

/** An act in words: "Report of 5 good, 1 scrap on WO-10021 / 20". */
export function useActText(): (act: Act) => string {
  const { t } = useTranslation()
  const amountsOf = useAmountsText()
  return ({ request, about }) => {
    if (request.kind !== 'report' && request.kind !== 'complete') return t(`floor.act.${request.kind}`, { about })
    const amounts = amountsOf(request.body)
    return amounts === '' ? t(`floor.act.${request.kind}`, { about }) : t(`floor.act.${request.kind}Amounts`, { about, amounts })
  }
}
