import t from 'tap'
import { code, productSources, type Source, sources } from '../helpers/sources.ts'

interface Wall {
  readonly rule: string
  readonly pattern: RegExp
  /** Files that may. */
  readonly except: RegExp
  readonly planted: string
}

const nowhere = /^$/

const walls: readonly Wall[] = [
  {
    rule: 'the environment is read in core/config.ts',
    pattern: /\bprocess\s*\.\s*env\b|\bprocess\s*\[|\benv\b.*from 'node:process'/,
    except: /^core\/config\.ts$/,
    planted: 'const a = process.env.HOME'
  },
  {
    rule: 'time comes from the clock',
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|performance\.timeOrigin/,
    except: /^core\/clock\.ts$/,
    planted: 'const at = new Date()'
  },
  {
    rule: 'SQL text is put together in the migration runner only',
    pattern: /\bsql\s*\.\s*raw\b/,
    except: /^core\/db\/migrate\.ts$/,
    planted: "await sql.raw('select 1').execute(db)"
  },
  {
    rule: 'every query names its columns',
    pattern: /\.selectAll\(|\.returningAll\(/,
    except: nowhere,
    planted: "db.selectFrom('x').selectAll()"
  },
  {
    rule: 'lists go into SQL as one array',
    pattern: /where[^\n]*,\s*'(?:not )?in'\s*,/,
    except: nowhere,
    planted: "query.where('id', 'in', ids)"
  },
  {
    rule: 'nothing prints but core/print.ts',
    pattern: /\bconsole\s*\.(?!ts')|process\.std(?:out|err)\.write/,
    except: /^core\/print\.ts$/,
    planted: "console.log('x')"
  },
  { rule: 'quantities stay text', pattern: /\bparseFloat\b/, except: nowhere, planted: 'Number.parseFloat(quantity)' },
  { rule: 'randomness comes from crypto', pattern: /\bMath\.random\b/, except: nowhere, planted: 'Math.random()' },
  {
    rule: 'no code is made from text',
    pattern: /\beval\(|\bnew Function\(|from 'node:vm'/,
    except: nowhere,
    planted: "new Function('return 1')"
  },
  { rule: 'the compiler is not silenced', pattern: /@ts-(?:ignore|nocheck)/, except: nowhere, planted: '// @ts-ignore' }
]

const readsComments = (wall: Wall) => wall.rule === 'the compiler is not silenced'

function broken(files: readonly Source[], only: readonly Wall[] = walls): string[] {
  return only.flatMap(wall =>
    files
      .filter(({ file }) => !wall.except.test(file))
      .flatMap(({ file, text }) =>
        (readsComments(wall) ? text : code(text))
          .split('\n')
          .filter(line => wall.pattern.test(line))
          .map(line => `${wall.rule}: ${file}: ${line.trim().slice(0, 120)}`)
      )
  )
}

t.test('environment: each wall catches what is planted, and lets its own file pass', async t => {
  for (const wall of walls) {
    t.equal(broken([{ file: 'core/x.ts', text: wall.planted }], [wall]).length, 1, wall.rule)
  }
  t.same(broken([{ file: 'core/config.ts', text: 'process.env' }]), [])
  t.same(broken([{ file: 'core/x.ts', text: '// never Math.random here' }]), [])
})

t.test('environment: the product keeps to the walls', async t => {
  const files = productSources()
  t.ok(files.length >= 40, 'an empty scan is not a pass')
  t.same(broken(files), [])
})

t.test('environment: tests do not silence the compiler and make no code from text', async t => {
  const files = sources('test/**/*.ts').filter(({ file }) => file !== 'test/walls/environment.test.ts')
  t.ok(files.length >= 5, 'an empty scan is not a pass')
  t.same(
    broken(
      files,
      walls.filter(wall => /silenced|made from text/.test(wall.rule))
    ),
    []
  )
})
