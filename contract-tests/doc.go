// Package contracttests proves that an adapter keeps what its port promises.
// Tests of adapters import it, in this module and in others; it imports ports
// and domain.
//
// There is one function a port: [FleetAuth], [CustomerRepo], [PhotoStore] and
// [ApiLog]. Each takes a function that opens a port, and calls it for each
// clause of the suite:
//
//	func TestPhotoStore(t *testing.T) {
//		contracttests.PhotoStore(t, func(t *testing.T) ports.PhotoStore {
//			store, err := mystore.Open("mystore://…")
//			if err != nil {
//				t.Fatal(err)
//			}
//			t.Cleanup(func() { store.Close() })
//			return store
//		})
//	}
//
// What open returns is empty and shares nothing with what it returned before;
// a prefix, a schema or a directory of its own will do. The clauses run in
// parallel, so open is called in parallel too. Run them with the race detector:
// some of what they do at once goes wrong only under its eyes.
//
// A clause that fails names the call, what came, what was due, and the promise
// that is broken. Its name is the name of its subtest:
//
//	go test -race -run 'TestPhotoStore/put_under_readers' ./mystore
//
// No clause can show that something is durable, or that another process waits
// for a lock: an adapter shows both in tests of its own.
//
// [HTTP] proves a server of the contract in the same way, whatever it is made of.
package contracttests
