export interface Turns<R> {
  readonly ours: readonly R[]
  readonly limit: readonly R[]
}

/** Measures ours and the limit one after the other, round by round, changing who begins, so that both meet the same machine. */
export async function inTurns<R>(rounds: number, measure: Record<'ours' | 'limit', (round: number) => Promise<R>>): Promise<Turns<R>> {
  const ours: R[] = []
  const limit: R[] = []
  for (let round = 0; round < rounds; round++) {
    for (const which of round % 2 === 0 ? (['ours', 'limit'] as const) : (['limit', 'ours'] as const))
      (which === 'ours' ? ours : limit).push(await measure[which](round))
  }
  return { ours, limit }
}

/** How often ours fits into the limit, round by round: of speeds ours over the limit. */
export const shareOf = ({ ours, limit }: Turns<number>): number[] => ours.map((speed, i) => speed / (limit[i] ?? Number.NaN))
