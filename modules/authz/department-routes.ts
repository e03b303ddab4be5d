import { Type } from 'typebox'
import { type App, act, type Ctx, errorResponses, type Journal, Text } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { DepartmentBody, DepartmentShape, List, SettingBody, SettingShape, WorkCentreShape } from './schemas.ts'
import { listDepartments, listWorkCentres, putDepartment, readSetting, updateSetting } from './store.ts'

const closed = { additionalProperties: false }
const tags = ['people']

/** Departments and work centres by which groups select, and what happens with a code that nobody has seen yet. */
export function departmentRoutes({ journal }: { journal: Journal }): (app: App) => void {
  return app => {
    app.get(
      '/api/v1/departments',
      {
        config: { permission: 'groups.read' },
        schema: {
          operationId: 'listDepartments',
          tags,
          summary: 'Department codes, those that came in with work orders and those of the list',
          response: {
            200: List(DepartmentShape),
            ...errorResponses
          }
        }
      },
      async request => ({ items: await listDepartments(request.ctx) })
    )

    app.put(
      '/api/v1/departments/:code',
      {
        config: { permission: 'groups.manage' },
        schema: {
          operationId: 'putDepartment',
          tags,
          summary: 'Put a department on the list, or name it',
          params: Type.Object({ code: Text(60) }, closed),
          body: DepartmentBody,
          response: { 200: DepartmentShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { code } = request.params
        const { name } = request.body
        return act(request, reply, {
          run: async tx => {
            await putDepartment(tx, { code, name })
            await journal.append(tx, { act: 'department.put', subject: 'authz.department', subjectId: code })
            return {}
          },
          show: () => ({ code, name })
        })
      }
    )

    app.get(
      '/api/v1/work-centres',
      {
        config: { permission: 'groups.read' },
        schema: {
          operationId: 'listWorkCentres',
          tags,
          summary: 'Work centres that came in with work orders',
          response: { 200: List(WorkCentreShape), ...errorResponses }
        }
      },
      async request => ({
        items: (await listWorkCentres(request.ctx)).map(row => ({ code: row.code, department: row.department_code }))
      })
    )

    const settingView = async (ctx: Ctx) => {
      const row = await readSetting(ctx)
      return { unknownDepartments: row.unknown_departments, version: row.version }
    }

    app.get(
      '/api/v1/settings/authz',
      {
        config: { permission: 'groups.read' },
        schema: {
          operationId: 'getAccessSetting',
          tags,
          summary: 'What happens with unknown departments',
          response: { 200: SettingShape, ...errorResponses }
        }
      },
      async request => settingView(request.ctx)
    )

    app.put(
      '/api/v1/settings/authz',
      {
        config: { permission: 'groups.manage', refuses: ['access_setting_changed'] },
        schema: {
          operationId: 'setAccessSetting',
          tags,
          summary: 'Change what happens with unknown departments',
          body: SettingBody,
          response: { 200: SettingShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { version, unknownDepartments } = request.body
        return act(request, reply, {
          run: async tx => {
            if (!(await updateSetting(tx, version, unknownDepartments))) {
              throw refuse('access_setting_changed', `Version ${version} of the setting was changed meanwhile.`)
            }
            await journal.append(tx, {
              act: 'setting.authz',
              subject: 'authz.setting',
              subjectId: String(version + 1),
              data: { unknownDepartments }
            })
            return {}
          },
          show: settingView
        })
      }
    )
  }
}
