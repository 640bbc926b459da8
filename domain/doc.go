// Package domain holds the values and rules of changing a customer's photo:
// identifiers, keys, PINs, photos, the API log's entries and the kinds of
// failure. It does no I/O and takes the clock and randomness from its caller.
//
// Every package may import it; it imports the standard library alone.
package domain
