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
