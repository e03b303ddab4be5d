import { Stack, Text } from '@mantine/core'
import { isProblem } from '../api/client'
import { ProblemNote } from './problem'

/** A refusal with each fault that it names. */
export function MappingProblem({ error }: { error: unknown }) {
  const faults = isProblem(error) && Array.isArray(error.errors) ? (error.errors as readonly { pointer: string; detail: string }[]) : []
  return (
    <Stack gap={4}>
      <ProblemNote error={error} />
      {faults.map(({ pointer, detail }) => (
        <Text key={pointer + detail} size="sm" lang="en" c="var(--mantine-color-error)">
          {pointer.replace(/^\/mapping\//, '').replaceAll('/', '.')}: {detail}
        </Text>
      ))}
    </Stack>
  )
}
