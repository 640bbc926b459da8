// Package contracttests proves that an adapter keeps what its port promises.
// Tests of adapters import it, in this module and in others; it imports ports
// and domain.
//
// There is one function a role. For what a call needs, they are [FleetAuth],
// [CustomerRepo], [PhotoStore] and [ApiLog]: an adapter that has the methods of
// these ports and no others passes them. [UnversionedPhotoStore] takes the place
// of PhotoStore where a store can't tell versions apart. [ChangeRecorder] is for
// one database that has both the customers and the log, [FleetCustomers] for one
// that has both the fleets and their customers. For what operators need,
// they are [FleetDirectory], [CustomerDirectory], [PINKeyBinder], [PhotoLister],
// [PhotoAddresser] and [ApiLogArchive], each for those adapters that have the
// role. Each takes a function that opens a port, and calls it for each clause
// of the suite:
//
//	import contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
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
// A FleetAuth can't add fleets, nor a CustomerRepo customers, so your open is
// given those that a clause needs and inserts them in whatever way your backend
// has. At most some eighty are asked for.
//
// What open returns is ready, migrated and connected, holds nothing else, and
// shares nothing with what it returned before; a prefix, a schema or a directory
// of its own will do. The clauses run in parallel, so open is called in parallel
// too. Run them with the race detector: some of what they do at once goes wrong
// only under its eyes.
//
// A clause that fails names the call, the fields that are wrong, what they
// should be, and the promise that is broken. Its name is the name of its subtest:
//
//	go test -race -run 'TestPhotoStore/put_under_readers' ./mystore
//
// No clause can show that something is durable, that another process waits for
// a lock, that a PIN's lock ends after its time, or what an error says while the
// backend is down: show these in tests of your own, the last with [CheckPublic].
//
// The clauses themselves are in one folder a port: fleetauth, customerrepo,
// photostore and apilog. The folder clause runs them, mutants shows that each
// can fail, and servers starts the servers that this module's own adapters are
// tested on.
//
// The folder example has a whole adapter of a stranger to this module, its test
// and the main that puts it into the product. The folder example/dispatch has
// another one, for customers in a table of another program, which it only reads.
//
// # Over HTTP
//
// [HTTP] and [HTTPHandler] prove a server of the contract in the same way,
// whatever it is made of. [HTTPCases] runs cases of your own, from files
// http/*.txtar: the promise in words, then a request and its response, or
// several in turn, and last, where it isn't the one from before, the photo that
// is stored in the end:
//
//	The word delete removes the photo, once and again.
//	-- request --
//	POST /update_customer_photo.json
//	Content-Type: application/json
//
//	{"api_key":"{{.APIKey}}","phone_number":{{.Phone}},"photo_base64":"delete"}
//	-- response --
//	200
//	Content-Type: application/json
//
//	{"result":"valid","url_customer_picture":"","api_log_id":<id>}
//	-- photo --
//
// A template has the fields of [Target] and the photos {{jpeg}}, {{png}},
// {{gif}} and {{before}}, for instance as {{base64 jpeg}}. In a response, <id>,
// <url>, <detail> and <detail NAME> stand for an api_log_id, a photo's address,
// a sentence, and a sentence with NAME in it, and * for any value of a header.
//
// A "wire" file in the place of a "request" is sent byte by byte over a
// connection of its own, with every header that it has; <host> and <length> in
// its head stand for the server's host and the bytes of the body. A file
// "caller.php", or with another extension, before it is a program that sends just
// that, and is run in this module's own tests.
//
// Where a server answers Too Many Requests with Retry-After, the call is sent
// again after that time, so that the cases also run where calls without a live
// key are limited: on this product's defaults they take half a minute.
//
// TestHTTP of this package runs the cases on a server that its flags name. What
// the run does to that server's customers, -help says:
//
//	go test github.com/fleetphoto/fleetphoto/contract-tests -v -run TestHTTP -base-url https://staging.example.com -api-key … -phone … -pin …
package contracttests
