// Package usecase holds the use cases of a call: change a customer's photo, repair
// what a crash left behind, check whether calls can succeed.
//
// Package operator, adapters and app import it; it imports domain and ports.
package usecase
