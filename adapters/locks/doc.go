// Package locks lets one at a time do something to a thing: Turns within a
// process, Files across the processes of a machine.
//
// The adapters sqlite, postgres and files import it; it imports nothing of this
// module.
package locks
