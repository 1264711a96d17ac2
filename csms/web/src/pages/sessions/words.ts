/** What is odd about a session, in an operator's words. */
export const FLAGS: Readonly<Record<string, string>> = {
  unauthorised: 'Started without a valid tag',
  offline: 'Told late, out of a queue',
  timeSuspect: 'Doubtful clock',
  meterSuspect: 'Doubtful meter',
  registerFell: 'The meter ran backwards',
  connectorSuspect: 'Doubtful connector',
  foreignTagStop: "Stopped with another group's tag",
  duplicateStop: 'Stopped twice, differently',
  stopMissing: 'No stop was reported',
  reservationUnknown: 'Unknown reservation',
  registerSuspect: 'Doubtful register',
  unitSuspect: 'Doubtful unit',
  localTime: 'Local time instead of UTC',
  idMissing: 'The station lost its number',
  closedByHand: 'Closed by hand',
  correctedByHand: 'Corrected by hand',
}

/** Why a session has ended, as stations say it, in an operator's words. */
export const STOPS: Readonly<Record<string, string>> = {
  DeAuthorized: 'The id tag was not valid any more',
  EmergencyStop: 'The emergency stop was pressed',
  EVDisconnected: 'The car was unplugged',
  HardReset: 'The station was reset, hard',
  Local: 'Somebody stopped it at the station',
  Other: 'The station says no more than that',
  PowerLoss: 'The station had no power',
  Reboot: 'The station restarted by itself',
  Remote: 'It was stopped from here or by the driver page',
  SoftReset: 'The station was reset, softly',
  UnlockCommand: 'Its connector was unlocked from here',
}
