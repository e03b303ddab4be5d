import { useTranslation } from 'react-i18next'

/** Built-in roles and permissions have words of their own; what the customer made keeps the customer's word. */
export function useRoleName(): (name: string) => string {
  const { t, i18n } = useTranslation()
  return name => (i18n.exists(`role.${name}`) ? t(`role.${name}` as 'role.operator') : name)
}

export function usePermissionText(): (permission: string, allows?: string) => string {
  const { t, i18n } = useTranslation()
  return (permission, allows) =>
    i18n.exists(`permission.${permission}`) ? t(`permission.${permission}` as 'permission.orders.read') : (allows ?? permission)
}
