// Package usecase holds the call: change a customer's photo, repair what a
// crash left behind, tell whether calls can succeed.
//
// It stands between ports and adapters. Package operator, adapters for callers
// and app import it; it imports domain and ports.
package usecase

import "time"

// CallTimeout is the longest that each half of a call may take: everything up
// to the intent in the API log, and everything from there on.
const CallTimeout = 30 * time.Second

// logTimeout bounds the write of a call that failed, after the caller may have left.
const logTimeout = 5 * time.Second

// SettleAfter is the age from which Repair takes an open entry for cut off:
// twice as long as any call may take, and clocks may differ by as much again.
const SettleAfter = 2 * (2*CallTimeout + logTimeout)
