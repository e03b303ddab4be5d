import { ActionIcon, Text, TextInput } from '@mantine/core'
import { IconBarcode, IconX } from '@tabler/icons-react'
import { type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

export interface ScanBoxFace {
  focus(): void
  /** As if it had been scanned here. */
  take(text: string): void
}

/**
 * Always ready for a scanner, which types and ends with Enter. Characters typed where there is no field come here too, so that a scan is
 * never lost and never presses a button. On a touch screen the keyboard appears only when the box itself is touched.
 */
export function ScanBox({
  value,
  change,
  enter,
  message,
  ref
}: {
  value: string
  change: (text: string) => void
  enter: (text: string) => void
  message: string | null
  ref: Ref<ScanBoxFace>
}) {
  const { t } = useTranslation()
  const input = useRef<HTMLInputElement>(null)
  const [touched, setTouched] = useState(false)

  useImperativeHandle(
    ref,
    () => ({
      focus() {
        setTouched(false)
        input.current?.focus({ preventScroll: true })
        input.current?.select()
      },
      take: enter
    }),
    [enter]
  )

  useEffect(() => {
    input.current?.focus({ preventScroll: true })
    const down = (event: KeyboardEvent) => {
      const { target, key } = event
      if (key.length !== 1 || key === ' ' || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return
      if (target instanceof HTMLElement && target.closest('input, textarea, select, [role=dialog], [role=menu], [role=listbox]')) return
      input.current?.focus({ preventScroll: true })
    }
    window.addEventListener('keydown', down)
    return () => window.removeEventListener('keydown', down)
  }, [])

  // What stays in the box after a scan is replaced by the next one.
  useEffect(() => {
    if (message && document.activeElement === input.current) input.current?.select()
  }, [message])

  return (
    <>
      <TextInput
        ref={input}
        data-scan
        size="lg"
        aria-label={t('floor.scan')}
        placeholder={t('floor.scan')}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
        inputMode={touched ? 'search' : matchMedia('(pointer: coarse)').matches ? 'none' : 'search'}
        onPointerDown={() => setTouched(true)}
        leftSection={<IconBarcode size={24} aria-hidden />}
        rightSection={
          value === '' ? null : (
            <ActionIcon
              variant="subtle"
              color="gray"
              size={44}
              aria-label={t('floor.clear')}
              onClick={() => {
                change('')
                input.current?.focus()
              }}
            >
              <IconX size={20} />
            </ActionIcon>
          )
        }
        rightSectionWidth={48}
        value={value}
        onChange={event => change(event.currentTarget.value)}
        onFocus={event => event.currentTarget.select()}
        onKeyDown={event => {
          if (event.key === 'Enter' && value.trim() !== '') enter(value.trim())
          if (event.key === 'Escape' && value !== '') change('')
        }}
      />
      <Text size="sm" fw={600} role="status" mt={message ? 6 : 0} c={message ? undefined : 'dimmed'}>
        {message}
      </Text>
    </>
  )
}
