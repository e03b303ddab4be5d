import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import type en from './texts/en.json'

export const languages = ['nl', 'en'] as const
export type Language = (typeof languages)[number]

const kept = 'werkvloer-language'
const isLanguage = (value: string | null | undefined): value is Language => languages.includes(value as Language)

/** A language is fetched when it is chosen. */
const texts = { nl: () => import('./texts/nl.json'), en: () => import('./texts/en.json') }

export async function startTexts(): Promise<void> {
  const chosen = localStorage.getItem(kept)
  const browser = navigator.languages.map(tag => tag.slice(0, 2)).find(isLanguage)
  const language = isLanguage(chosen) ? chosen : (browser ?? 'nl')
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: (await texts[language]()).default } },
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

export async function chooseLanguage(language: Language): Promise<void> {
  i18next.addResourceBundle(language, 'translation', (await texts[language]()).default)
  await i18next.changeLanguage(language)
  localStorage.setItem(kept, language)
}

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en }
    keySeparator: false
    nsSeparator: false
  }
}
