/** Fields of OCPP payloads in words. */

/** Returns a field's name as a label: `chargingProfilePurpose` -> `Charging profile purpose`. */
export function labelOf(name: string): string {
  const own = LABELS[name]
  if (own !== undefined) return own
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Returns what a field means, for the action where that differs; undefined where its name says it all. */
export function helpOf(action: string, name: string): string | undefined {
  return HELP[`${action}.${name}`] ?? HELP[name]
}

const LABELS: Readonly<Record<string, string>> = {
  csChargingProfiles: 'Charging profile',
  chargingSchedulePeriod: 'Periods',
  firmwareId: 'Image',
  idTag: 'Id tag',
  parentIdTag: 'Parent id tag',
  idTagInfo: 'What holds for the tag',
  localAuthorizationList: 'Entries',
  key: 'Key',
}

const HELP: Readonly<Record<string, string>> = {
  'CancelReservation.reservationId': 'The number under which the station keeps it.',
  certificate: 'PEM text, with its BEGIN and END lines.',
  certificateChain: 'PEM texts, the station’s own certificate first.',
  certificateHashData: 'Which certificate; the list of certificates of the station tells these.',
  'ChangeAvailability.connectorId': '0: the whole station.',
  'ChangeAvailability.type': 'Inoperative: out of service, once a running session has ended.',
  'ChangeConfiguration.key': 'As the station spells it.',
  'ChangeConfiguration.value': 'May be empty.',
  chargingProfileId: 'Replaces the profile of this number.',
  chargingProfileKind:
    'Absolute: from a fixed time. Relative: from the start of the session. Recurring: each day or week.',
  chargingProfilePurpose:
    'ChargePointMaxProfile limits the station, TxDefaultProfile every session, TxProfile one session.',
  chargingRateUnit: 'A: for each phase. W: in all.',
  chargingSchedulePeriod: 'Each holds until the next begins.',
  'ClearChargingProfile.connectorId': '0: the whole station. Empty: all.',
  'ClearChargingProfile.id': 'The number of one profile. Empty: all that fit the rest.',
  data: 'A text; what it means is between you and the vendor.',
  duration: 'Seconds.',
  firmwareId: 'An image of this system. Empty: the only one that fits the station, or the location below.',
  'GetCompositeSchedule.connectorId': '0: the whole station.',
  'GetCompositeSchedule.duration': 'How far to look ahead, seconds.',
  'GetConfiguration.key': 'None: all keys.',
  'GetDiagnostics.location': 'Where to send it. Empty: this system’s own files, where those are on.',
  installDateTime: 'Empty: as soon as it can.',
  limit: 'A or W, in steps of 0.1.',
  listVersion: 'Higher than the one that the station has.',
  location: 'An address that the station can reach. Empty: this system’s own files, where those are on.',
  localAuthorizationList: 'None: an empty list.',
  minChargingRate: 'Below this, the car charges badly.',
  numberPhases: 'Empty: 3.',
  parentIdTag: 'The group that it belongs to.',
  'RemoteStartTransaction.connectorId': 'Empty: the station chooses.',
  'RemoteStartTransaction.idTag': 'Whose session it is.',
  remoteLocation: 'Where to send it. Empty: this system’s own files, where those are on.',
  requestId: 'Empty: the next free one.',
  'ReserveNow.connectorId': '0: any connector of the station.',
  retries: 'How often to try again.',
  retrieveDate: 'From when to fetch it. Empty: now.',
  retrieveDateTime: 'From when to fetch it. Empty: now.',
  retryInterval: 'Seconds between two tries.',
  'Reset.type': 'Soft: ends sessions properly first. Hard: at once, as if the power had failed.',
  'SetChargingProfile.connectorId': '0: the whole station, for ChargePointMaxProfile and TxDefaultProfile.',
  signature: 'Of the image. Empty: that of the chosen image.',
  signingCertificate: 'PEM text. Empty: that of the chosen image.',
  stackLevel: 'Of two profiles the higher level counts.',
  startPeriod: 'Seconds from the start of the schedule.',
  startSchedule: 'When its first period begins.',
  transactionId: 'The number of the session.',
  'TriggerMessage.connectorId': 'Of which connector; empty: all.',
  'ExtendedTriggerMessage.connectorId': 'Of which connector; empty: all.',
  updateType: 'Full: replaces the list. Differential: adds to it.',
  vendorId: 'Whose message it is, such as com.example.',
}
