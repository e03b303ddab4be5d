import { Type } from 'typebox'
import { type App, act, containing, cursorOf, errorResponses, Id, pageQuery, readCursor, Text } from '../../core/index.ts'
import { jobActs } from './jobs.ts'
import { listJobs } from './list-store.ts'
import type { Needs } from './neighbours.ts'
import * as schema from './schemas.ts'
import { shows } from './show.ts'
import { reportById } from './store.ts'

const tags = ['jobs']
const closed = { additionalProperties: false }
const JobParams = Type.Object({ jobId: Id }, closed)
const ended = ['not_found', 'order_cancelled', 'order_closed', 'order_not_released'] as const
const amounts = [
  'forbidden',
  'employee_unknown',
  'scrap_reason_missing',
  'scrap_reason_unknown',
  'report_exceeds_plan',
  'over_report_reason_missing'
] as const
const stock = [
  'article_unknown',
  'article_blocked',
  'article_unit_differs',
  'location_unknown',
  'location_blocked',
  'stock_too_low'
] as const

/** A label holds the order number alone, or order and operation number with one character between them. */
export const readScan = (scan: string): { order: string; operation: string | null }[] => [
  { order: scan, operation: null },
  ...[...scan.matchAll(/[^A-Za-z0-9]/g)]
    .map(match => ({ order: scan.slice(0, match.index), operation: scan.slice(match.index + 1) }))
    .filter(one => one.order !== '' && one.operation !== '')
]

/** Acts on jobs: what people on the floor do. */
export function jobRoutes(needs: Needs) {
  const acts = jobActs(needs)
  const show = shows(needs)

  return (app: App): void => {
    app.get(
      '/api/v1/jobs',
      {
        config: { permission: 'jobs.read' },
        schema: {
          operationId: 'listJobs',
          tags,
          summary: 'The floor’s list: open jobs of my groups, most urgent first',
          querystring: Type.Object(
            {
              scan: Type.Optional(Text(80, { description: 'What a scanner read: order number, or order and operation number' })),
              search: Type.Optional(Text(80)),
              status: Type.Optional(schema.FloorStatusWord),
              department: Type.Optional(Text(40)),
              ...pageQuery
            },
            closed
          ),
          response: { 200: schema.JobPage, ...errorResponses }
        }
      },
      async request => {
        const { scan, search, status = null, department = null, limit = 100, after } = request.query
        const { ctx } = request
        const rows = await listJobs(
          ctx,
          {
            search: containing(search),
            scans: scan === undefined ? null : readScan(scan),
            status,
            department,
            after: readCursor(after, ['number', 'string', 'string']),
            limit
          },
          show.visible(ctx)
        )
        const last = rows.at(-1)
        return {
          items: await show.jobs(ctx, rows),
          next: last && rows.length === limit ? cursorOf([last.priority, last.due ?? 'infinity', last.seq]) : null
        }
      }
    )

    app.get(
      '/api/v1/jobs/:jobId',
      {
        config: { permission: 'jobs.read', refuses: ['not_found'] },
        schema: { operationId: 'getJob', tags, summary: 'One job', params: JobParams, response: { 200: schema.JobView, ...errorResponses } }
      },
      async request => show.job(request.ctx, request.params.jobId)
    )

    for (const [verb, summary, refuses] of [
      ['start', 'Start the clock of one or more persons on a job', ['job_already_running', 'job_completed']],
      ['resume', 'Go on with a paused job', ['job_not_paused', 'job_completed']]
    ] as const) {
      app.post(
        `/api/v1/jobs/:jobId/${verb}`,
        {
          config: {
            permission: 'jobs.work',
            refuses: [...ended, ...refuses, 'employee_missing', 'employee_unknown', 'employee_inactive', 'forbidden']
          },
          schema: {
            operationId: `${verb}Job`,
            tags,
            summary,
            params: JobParams,
            body: schema.StartBody,
            response: { 200: schema.JobView, ...errorResponses }
          }
        },
        async (request, reply) => {
          const { jobId } = request.params
          return act(request, reply, {
            run: async tx => {
              await acts[verb](tx, jobId, request.body)
              return {}
            },
            show: ctx => show.job(ctx, jobId)
          })
        }
      )
    }

    app.post(
      '/api/v1/jobs/:jobId/pause',
      {
        config: {
          permission: 'jobs.work',
          refuses: [...ended, 'job_completed', 'job_not_running', 'not_on_job', 'employee_missing', 'forbidden']
        },
        schema: {
          operationId: 'pauseJob',
          tags,
          summary: 'Stop the clock of one or more persons; the job is paused when nobody works on it any more',
          params: JobParams,
          body: schema.PauseBody,
          response: { 200: schema.JobView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { jobId } = request.params
        return act(request, reply, {
          run: async tx => {
            await acts.pause(tx, jobId, request.body)
            return {}
          },
          show: ctx => show.job(ctx, jobId)
        })
      }
    )

    app.post(
      '/api/v1/jobs/:jobId/report',
      {
        config: { permission: 'jobs.report', refuses: [...ended, 'job_completed', 'nothing_reported', ...amounts, ...stock] },
        schema: {
          operationId: 'reportJob',
          tags,
          summary: 'Report good, scrap with its reason, and rework in one submit',
          params: JobParams,
          body: schema.ReportBody,
          response: { 201: schema.ReportedView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { jobId } = request.params
        return act(request, reply, {
          status: 201,
          run: async tx => ({ reportId: await acts.report(tx, jobId, request.body) }),
          show: async (ctx, { reportId }) => ({ reportId, job: await show.job(ctx, jobId) })
        })
      }
    )

    app.post(
      '/api/v1/jobs/:jobId/complete',
      {
        config: { permission: 'jobs.complete', refuses: [...ended, 'job_completed', 'shortfall_undecided', ...amounts, ...stock] },
        schema: {
          operationId: 'completeJob',
          tags,
          summary: 'Complete a job, with a last report where quantities are given; missing pieces are decided, never guessed',
          params: JobParams,
          body: schema.CompleteBody,
          response: { 201: schema.ReportedView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { jobId } = request.params
        return act(request, reply, {
          status: 201,
          run: async tx => ({ reportId: await acts.complete(tx, jobId, request.body) }),
          show: async (ctx, { reportId }) => ({ reportId, job: await show.job(ctx, jobId) })
        })
      }
    )

    app.post(
      '/api/v1/jobs/:jobId/reopen',
      {
        config: { permission: 'jobs.complete', refuses: [...ended, 'job_not_completed'] },
        schema: {
          operationId: 'reopenJob',
          tags,
          summary: 'Take a completed job back to paused, with a reason',
          params: JobParams,
          body: schema.ReasonBody,
          response: { 200: schema.JobView, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { jobId } = request.params
        return act(request, reply, {
          run: async tx => {
            await acts.reopen(tx, jobId, request.body.reason)
            return {}
          },
          show: ctx => show.job(ctx, jobId)
        })
      }
    )

    app.post(
      '/api/v1/reports/:reportId/correct',
      {
        config: { permission: 'jobs.correct', refuses: [...ended, 'report_reversed', 'reversal_not_correctable', ...amounts, ...stock] },
        schema: {
          operationId: 'correctReport',
          tags,
          summary: 'Correct a report: a reversal and a row that stands for it, linked, with the reason; all zero takes it back only',
          params: Type.Object({ reportId: Id }, closed),
          body: schema.CorrectBody,
          response: { 201: schema.CorrectedView, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 201,
          run: tx => acts.correct(tx, request.params.reportId, request.body),
          show: async (ctx, { reversalId, replacementId }) => {
            const row = await reportById(ctx, reversalId)
            if (!row) throw new Error('the reversal that was just written is not there')
            return { reversalId, replacementId, job: await show.job(ctx, row.job_id) }
          }
        })
    )

    app.post(
      '/api/v1/reports/:reportId/undo',
      {
        config: { permission: 'jobs.report', refuses: [...ended, 'undo_over', 'report_reversed', ...stock] },
        schema: {
          operationId: 'undoReport',
          tags,
          summary: 'Take back one’s own report of the last minute; a job that it completed is paused again',
          params: Type.Object({ reportId: Id }, closed),
          response: { 201: schema.UndoneView, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 201,
          run: async tx => ({ reversalId: await acts.undo(tx, request.params.reportId) }),
          show: async (ctx, { reversalId }) => {
            const row = await reportById(ctx, reversalId)
            if (!row) throw new Error('the reversal that was just written is not there')
            return { reversalId, job: await show.job(ctx, row.job_id) }
          }
        })
    )

    app.get(
      '/api/v1/floor/feedback',
      {
        config: { permission: 'jobs.work' },
        schema: {
          operationId: 'floorFeedback',
          tags,
          summary: 'My newest reports, and how far each is on its way to the ERP',
          response: { 200: schema.FloorFeedbackView, ...errorResponses }
        }
      },
      async request => show.mine(request.ctx)
    )

    for (const [path, verb, operationId, summary] of [
      ['consume', 'consume', 'consumeMaterial', 'Take material for a job out of stock'],
      ['return', 'giveBack', 'returnMaterial', 'Bring unused material of a job back to stock']
    ] as const) {
      app.post(
        `/api/v1/jobs/:jobId/${path}`,
        {
          config: { permission: 'stock.consume', refuses: [...ended, 'material_line_unknown', ...stock] },
          schema: {
            operationId,
            tags,
            summary,
            params: JobParams,
            body: schema.MaterialBody,
            response: { 201: schema.MaterialActView, ...errorResponses }
          }
        },
        async (request, reply) => {
          const { jobId } = request.params
          return act(request, reply, {
            status: 201,
            run: async tx => ({ actId: await acts[verb](tx, jobId, request.body.items) }),
            show: async (ctx, { actId }) => {
              const job = await show.job(ctx, jobId)
              return { actId, materials: await show.materials(ctx, { id: job.orderId, number: job.orderNumber }) }
            }
          })
        }
      )
    }
  }
}
