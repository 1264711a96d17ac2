import { PageHeader } from '@/parts/PageHeader'
import { Keys } from './Keys'
import { Users } from './Users'

/** Who may do what: people with passwords, programs with keys. */
export default function UsersPage() {
  return (
    <>
      <PageHeader
        title="Users and keys"
        subtitle="People sign in with a password, programs with an API key"
      />
      <Users />
      <Keys />
    </>
  )
}
