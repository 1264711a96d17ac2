import {
  Autocomplete,
  Button,
  Fieldset,
  Group,
  SegmentedControl,
  Select,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core'
import { Icon } from '@/parts/Icon'
import classes from './calls.module.css'
import { type Draft, emptyDraft, type Schema, within } from './schema'
import type { Payload } from './usePayload'
import { helpOf, labelOf } from './words'

/** What a field may be, from what is known of the station: by the field's name. */
export type Suggestions = Readonly<Record<string, readonly { value: string; label: string }[]>>

interface PayloadFieldsProps {
  payload: Payload
  suggestions?: Suggestions
}

/** The form of a payload, with a switch to its JSON. */
export function PayloadFields({ payload, suggestions = {} }: PayloadFieldsProps) {
  const { schema, draft, setDraft, raw, setRaw, show, problems, action } = payload
  const none = Object.keys(schema.properties ?? {}).length === 0
  return (
    <div>
      <Group justify="space-between" mb="xs">
        <Text size="sm" c="dimmed">
          {raw === null
            ? none
              ? 'It needs nothing more.'
              : 'What is left empty is left out.'
            : 'It goes out as it stands here.'}
        </Text>
        <SegmentedControl
          size="xs"
          aria-label="Fields or JSON"
          value={raw === null ? 'fields' : 'json'}
          onChange={(as) => show(as as 'fields' | 'json')}
          data={[
            { value: 'fields', label: 'Fields' },
            { value: 'json', label: 'JSON' },
          ]}
        />
      </Group>
      {raw !== null ? (
        <Textarea
          aria-label="Payload as JSON"
          autosize
          minRows={6}
          maxRows={24}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          spellCheck={false}
          value={raw}
          onChange={(event) => setRaw(event.currentTarget.value)}
          error={Object.entries(problems)
            .map(([path, text]) => (path === 'payload' ? text : `${path}: ${text}`))
            .join('; ')}
        />
      ) : (
        <Fields
          schema={schema}
          draft={draft as Record<string, Draft>}
          path=""
          set={setDraft}
          around={{ problems, suggestions, action }}
        />
      )}
      {raw === null && problems.payload && (
        <Text size="sm" c="var(--csms-bad)" role="alert">
          {problems.payload}
        </Text>
      )}
    </div>
  )
}

interface Around {
  problems: Readonly<Record<string, string>>
  suggestions: Suggestions
  action: string
}

interface FieldsProps {
  schema: Schema
  draft: Record<string, Draft>
  path: string
  set: (draft: Draft) => void
  around: Around
}

function Fields({ schema, draft, path, set, around }: FieldsProps) {
  return (
    <div className={classes.fields}>
      {Object.entries(schema.properties ?? {}).map(([name, part]) => (
        <Field
          key={name}
          name={name}
          schema={part}
          required={schema.required?.includes(name) ?? false}
          draft={draft[name] ?? null}
          path={within(path, name)}
          set={(value) => set({ ...draft, [name]: value })}
          around={around}
        />
      ))}
    </div>
  )
}

interface FieldProps {
  name: string
  schema: Schema
  required: boolean
  draft: Draft
  path: string
  set: (draft: Draft) => void
  around: Around
  /** Instead of the name's own: of an item in a list. */
  label?: string
}

function Field(props: FieldProps) {
  const { schema, draft } = props
  if (schema.type === 'object' && schema.properties) return <GroupField {...props} />
  if (schema.type === 'array') return <ListField {...props} items={Array.isArray(draft) ? draft : []} />
  return <ScalarField {...props} typed={typeof draft === 'string' ? draft : ''} />
}

function GroupField({ name, schema, required, draft, path, set, around, label }: FieldProps) {
  const title = label ?? labelOf(name)
  if (draft === null || typeof draft !== 'object' || Array.isArray(draft))
    return (
      <div className={classes.wide}>
        <Button
          variant="default"
          leftSection={<Icon name="plus" size={13} />}
          onClick={() => set(emptyDraft(schema))}
        >
          {title}
        </Button>
      </div>
    )
  return (
    <Fieldset legend={title} className={classes.wide} p="sm">
      <Fields schema={schema} draft={draft} path={path} set={set} around={around} />
      {!required && (
        <Button
          mt="xs"
          variant="subtle"
          color="gray"
          leftSection={<Icon name="trash" size={13} />}
          onClick={() => set(null)}
        >
          Leave out “{title}”
        </Button>
      )}
      <Wrong text={around.problems[path]} />
    </Fieldset>
  )
}

function ListField({ name, schema, path, set, around, items }: FieldProps & { items: Draft[] }) {
  const part = schema.items ?? {}
  const title = labelOf(name)
  const help = helpOf(around.action, name)
  const single = title.replace(/ies$/, 'y').replace(/s$/, '')
  return (
    <Fieldset legend={title} className={classes.wide} p="sm">
      {help && (
        <Text size="xs" c="dimmed" mb="xs">
          {help}
        </Text>
      )}
      {items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an item has nothing else that stays
        <div key={index} className={classes.item}>
          <Field
            name={name}
            label={`${single} ${index + 1}`}
            schema={part}
            required
            draft={item}
            path={within(path, index)}
            set={(value) => set(items.map((each, at) => (at === index ? value : each)))}
            around={around}
          />
          <Button
            variant="subtle"
            color="gray"
            aria-label={`Remove ${single.toLowerCase()} ${index + 1}`}
            onClick={() => set(items.filter((_, at) => at !== index))}
          >
            <Icon name="x" size={14} />
          </Button>
        </div>
      ))}
      <Button
        variant="default"
        leftSection={<Icon name="plus" size={13} />}
        onClick={() => set([...items, emptyDraft(part)])}
      >
        {single}
      </Button>
      <Wrong text={around.problems[path]} />
    </Fieldset>
  )
}

function ScalarField({
  name,
  schema,
  required,
  path,
  set,
  around,
  label,
  typed,
}: FieldProps & { typed: string }) {
  const error = around.problems[path]
  const shared = {
    label: label ?? labelOf(name),
    description: label === undefined ? helpOf(around.action, name) : undefined,
    withAsterisk: required && label === undefined,
    error,
    'aria-required': required,
    'data-path': path,
    ...(schema.maxLength !== undefined && schema.maxLength > 1000 ? { className: classes.wide } : {}),
  }
  if (schema.enum || schema.type === 'boolean') {
    const choices = schema.enum ?? ['true', 'false']
    return (
      <Select
        {...shared}
        data={[...choices]}
        value={typed || null}
        onChange={(value) => set(value ?? '')}
        placeholder={required ? 'Choose' : 'Left out'}
        clearable={!required}
      />
    )
  }
  if (schema.format === 'date-time')
    return (
      <TextInput
        {...shared}
        type="datetime-local"
        step={1}
        value={typed}
        onChange={(event) => set(event.currentTarget.value)}
      />
    )
  if ((schema.maxLength ?? 0) > 500)
    return (
      <Textarea
        {...shared}
        autosize
        minRows={2}
        maxRows={12}
        spellCheck={false}
        value={typed}
        onChange={(event) => set(event.currentTarget.value)}
      />
    )
  const known = around.suggestions[name] ?? []
  if (known.length > 0) return <Suggested {...shared} known={known} typed={typed} set={set} />
  const number = schema.type === 'integer' || schema.type === 'number'
  return (
    <TextInput
      {...shared}
      inputMode={number ? 'decimal' : 'text'}
      spellCheck={false}
      autoComplete="off"
      value={typed}
      onChange={(event) => set(event.currentTarget.value)}
    />
  )
}

interface SuggestedProps {
  known: readonly { value: string; label: string }[]
  typed: string
  set: (draft: Draft) => void
  label: string
}

/** A text with what is known to fit; anything else may be typed. */
function Suggested({ known, typed, set, ...shared }: SuggestedProps) {
  const names = new Map(known.map(({ value, label }) => [value, label]))
  return (
    <Autocomplete
      {...shared}
      data={[...names.keys()]}
      value={typed}
      onChange={set}
      limit={50}
      filter={({ options, search }) => {
        // what has been chosen hides nothing of the others
        if (names.has(search)) return options
        const wanted = search.toLowerCase()
        return options.filter(
          (each) =>
            'value' in each && `${each.value} ${names.get(each.value)}`.toLowerCase().includes(wanted),
        )
      }}
      renderOption={({ option }) => (
        <span>
          {option.value}
          {names.get(option.value) !== option.value && (
            <span className="dimmed"> {names.get(option.value)}</span>
          )}
        </span>
      )}
    />
  )
}

function Wrong({ text }: { text: string | undefined }) {
  if (text === undefined) return null
  return (
    <Text size="xs" c="var(--csms-bad)" role="alert" mt={4}>
      {text}
    </Text>
  )
}
