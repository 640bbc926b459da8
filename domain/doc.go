// Package domain holds the values and rules of changing a customer's photo:
// identifiers, keys, PINs, photos, the API log's entries and the kinds of
// failure. It does no I/O; callers pass in the time and randomness.
//
// Every package may import it; it imports only the standard library.
package domain
