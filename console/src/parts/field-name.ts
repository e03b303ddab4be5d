import { useTranslation } from 'react-i18next'

/** A field of ours in words: "operations.0.department" is "operation 1, department". */
export function useFieldName(): (field: string) => string {
  const { t, i18n } = useTranslation()
  const known = (prefix: 'fieldOf' | 'listOf', name: string) => i18n.exists(`${prefix}.${name}`)
  return field => {
    const words: string[] = []
    for (const step of field.replace(/^\//, '').split(/[./]/)) {
      const before = words.length - 1
      // The number of a quantity is the quantity.
      if (step === 'value' && before >= 0) continue
      if (/^\d+$/.test(step) && before >= 0) words[before] = `${words[before]} ${Number(step) + 1}`
      else if (known('listOf', step) && field.includes(`${step}.`)) words.push(t(`listOf.${step}` as 'listOf.operations'))
      else words.push(known('fieldOf', step) ? t(`fieldOf.${step}` as 'fieldOf.number') : step)
    }
    return words.join(', ')
  }
}
