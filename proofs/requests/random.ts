import { repeatable } from '../../demo/factory.ts'

/** Everything that is drawn by chance comes from here, so that a run can be had again by its seed. */
export interface Random {
  /** 0 to most - 1. */
  below(most: number): number
  seed(): number
  chance(outOf: number): boolean
  /** One of the list; throws on an empty one. */
  of<T>(list: readonly T[]): T
  some<T>(list: readonly T[], most: number): T[]
  shuffled<T>(list: readonly T[]): T[]
}

export function newRandom(seed: number): Random {
  const below = repeatable(seed)
  const shuffled = <T>(list: readonly T[]): T[] => {
    const left = [...list]
    return Array.from({ length: left.length }, () => left.splice(below(left.length), 1)).flat()
  }
  return {
    below,
    seed: () => below(0x7fffffff),
    chance: outOf => below(outOf) === 0,
    of<T>(list: readonly T[]): T {
      if (list.length === 0) throw new Error('there is nothing to choose from')
      return list[below(list.length)] as T
    },
    shuffled,
    some: (list, most) => shuffled(list).slice(0, 1 + below(most))
  }
}
