import { repeatable } from '../../demo/factory.ts'

/** Chance that can be played again: the same seed gives the same choices. */
export interface Chance {
  /** From 0 up to, not including, `most`. */
  below(most: number): number
  pick<T>(list: readonly T[]): T
  bytes(length: number): Buffer
}

/** @param n which file of the run, so that each can be made without those before it */
export function chanceOf(seed: number, n: number): Chance {
  const next = repeatable(Math.imul(seed, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b))
  // The first numbers of neighbouring seeds are much alike.
  for (let i = 0; i < 8; i++) next(2)
  const below = (most: number): number => next(Math.max(1, most))
  return {
    below,
    pick<T>(list: readonly T[]): T {
      const one = list[below(list.length)]
      if (one === undefined) throw new Error('nothing to pick from')
      return one
    },
    bytes: length => Buffer.from(Array.from({ length }, () => below(256)))
  }
}
