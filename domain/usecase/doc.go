// Package usecase holds the call: change a customer's photo, repair what a
// crash left behind, tell whether calls can succeed.
//
// It stands between ports and adapters. Package operator, adapters for callers
// and app import it; it imports domain and ports.
package usecase
