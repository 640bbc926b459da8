// Package locks provides locks by key: Turns within a process, Files among the
// processes of a machine.
//
// The adapters sqlite, postgres and files import it; it imports nothing of this
// module.
package locks
