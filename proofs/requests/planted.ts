import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { refuse } from '../../core/errors.ts'
import type { AnyModule } from '../../core/host.ts'
import { errorResponses } from '../../core/http/schemas.ts'

export const plantedAt = '/api/v1/planted/'

/** Routes that do not keep to their description, each in its own way: what holds answers against it must find every one. */
export const planted: AnyModule = {
  name: 'planted',
  needs: [],
  permissions: {},
  personalData: [],
  retention: [],
  dictionary: {},
  errors: {},
  build: () => ({
    face: {},
    routes: given => {
      // Answers of the wrong type are the point here.
      const app = given as unknown as FastifyInstance
      const shape = Type.Object({ count: Type.Integer() }, { additionalProperties: false })
      const route = (operationId: string, answers: Readonly<Record<string, unknown>> = { 200: shape }) => ({
        config: { permission: 'session.own' },
        schema: { operationId, tags: ['planted'], summary: 'Planted', response: { ...answers, ...errorResponses } }
      })
      app.get(`${plantedAt}throws`, route('plantedThrows'), async () => {
        throw new Error('planted')
      })
      app.get(`${plantedAt}shape`, route('plantedShape'), (_request, reply) =>
        reply.serializer(() => '{"count":"many"}').send({ count: 1 })
      )
      app.get(`${plantedAt}status`, route('plantedStatus'), (_request, reply) => reply.code(206).send({ count: 1 }))
      app.get(`${plantedAt}type`, route('plantedType'), (_request, reply) =>
        reply.code(409).type('text/plain').serializer(String).send('no')
      )
      app.get(`${plantedAt}code`, route('plantedCode'), async () => {
        throw refuse('conflict', 'Nobody announced this.')
      })
      app.get(
        `${plantedAt}lax`,
        {
          ...route('plantedLax'),
          schema: { ...route('plantedLax').schema, querystring: Type.Object({ number: Type.Integer() }) },
          validatorCompiler: () => () => true
        },
        async () => ({ count: 1 })
      )
    }
  })
}
