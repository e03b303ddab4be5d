import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import en from './texts/en.json'
import nl from './texts/nl.json'

export const languages = ['nl', 'en'] as const
export type Language = (typeof languages)[number]

const kept = 'werkvloer-language'
const isLanguage = (value: string | null | undefined): value is Language => languages.includes(value as Language)

export async function startTexts(): Promise<void> {
  const chosen = localStorage.getItem(kept)
  const browser = navigator.languages.map(tag => tag.slice(0, 2)).find(isLanguage)
  await i18next.use(initReactI18next).init({
    lng: isLanguage(chosen) ? chosen : (browser ?? 'nl'),
    fallbackLng: false,
    resources: { en: { translation: en }, nl: { translation: nl } },
    keySeparator: false,
    nsSeparator: false,
    // React escapes what it shows.
    interpolation: { escapeValue: false },
    returnNull: false
  })
  mark()
  i18next.on('languageChanged', mark)
}

function mark(): void {
  document.documentElement.lang = i18next.language
}

export function chooseLanguage(language: Language): void {
  localStorage.setItem(kept, language)
  void i18next.changeLanguage(language)
}

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en }
    keySeparator: false
    nsSeparator: false
  }
}
