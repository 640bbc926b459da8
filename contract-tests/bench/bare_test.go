package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// bare does a call's job by hand: JSON alone, no PIN, no lock, and nothing that
// settles what was cut off. It runs two statements, of which the second commits.
type bare struct {
	find   statement // the customer's id by the key's hash and the phone number
	record statement // the customer's id and the photo's size
	photos store
}

type store struct {
	put func(ctx context.Context, name string, photo []byte) error
	get func(ctx context.Context, name string) ([]byte, error)
}

// statement returns the one number that it selects, or inserts under.
type statement func(ctx context.Context, args ...any) (id int64, err error)

// ServeHTTP implements http.Handler.
func (h bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, id, err := h.change(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = fmt.Fprintf(w, `{"result":"valid","url_customer_picture":"http://%s/photos/%s","api_log_id":%d}`, r.Host, name, id)
}

func (h bare) change(r *http.Request) (name string, id int64, err error) {
	const most = 20 << 20
	if r.ContentLength < 0 || r.ContentLength > most {
		return "", 0, errors.New("too large")
	}
	body := make([]byte, r.ContentLength)
	_, readErr := io.ReadFull(r.Body, body)
	phone, phoneErr := strconv.ParseInt(string(field(body, "phone_number")), 10, 64)
	if err := errors.Join(readErr, phoneErr); err != nil {
		return "", 0, err
	}
	customer, err := h.find(r.Context(), hashed(field(body, "api_key")), phone)
	if err != nil {
		return "", 0, err
	}
	photo := field(body, "photo_base64")
	size, err := base64.StdEncoding.Decode(photo, photo)
	if photo = photo[:size]; err != nil || !bytes.HasPrefix(photo, []byte("\xff\xd8")) && !bytes.HasPrefix(photo, []byte("\x89PNG")) {
		return "", 0, errors.New("not an image")
	}
	name = fmt.Sprintf("%d_photo.jpg", customer)
	if err := h.photos.put(r.Context(), name, photo); err != nil {
		return "", 0, err
	}
	id, err = h.record(r.Context(), customer, size)
	return name, id, err
}

// field finds a field of a JSON object without blanks and escapes.
func field(body []byte, name string) []byte {
	_, rest, _ := bytes.Cut(body, []byte(`"`+name+`":`))
	if text, is := bytes.CutPrefix(rest, []byte(`"`)); is {
		text, _, _ = bytes.Cut(text, []byte(`"`))
		return text
	}
	return rest[:max(0, bytes.IndexAny(rest, ",}"))]
}

func hashed(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:])
}

// putFile stores a photo in the working directory, durably.
func putFile(_ context.Context, name string, photo []byte) error {
	file, err := os.CreateTemp(".", "put-")
	if err != nil {
		return err
	}
	_, err = file.Write(photo)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), name); err != nil {
		return err
	}
	directory, err := os.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

var (
	inFiles  = store{putFile, func(_ context.Context, name string) ([]byte, error) { return os.ReadFile(name) }}
	inMemory = func() store {
		var photos sync.Map
		return store{
			func(_ context.Context, name string, photo []byte) error {
				photos.Store(name, bytes.Clone(photo))
				return nil
			},
			func(_ context.Context, name string) ([]byte, error) {
				photo, _ := photos.Load(name)
				return photo.([]byte), nil
			},
		}
	}
)

// openPhotos opens the photo store of the settings.
func openPhotos(ctx context.Context) (store, error) {
	switch address := os.Getenv(photoStoreURL); {
	case address == "memory://":
		return inMemory(), nil
	case strings.HasPrefix(address, "file://"):
		return inFiles, nil
	default:
		bucket, err := blob.OpenBucket(ctx, address)
		return store{func(ctx context.Context, name string, photo []byte) error {
			return bucket.WriteAll(ctx, name, photo, &blob.WriterOptions{ContentType: "image/jpeg"})
		}, bucket.ReadAll}, err
	}
}

const (
	findQuery   = `SELECT c.id FROM keys k JOIN customers c ON c.fleet = k.fleet WHERE k.hash = $1 AND c.phone = $2`
	recordQuery = `INSERT INTO changes (customer, size) VALUES ($1, $2) RETURNING id`
)

// tables makes the tables and all customers. ids is the type of one that counts up.
func tables(ids string) string {
	var script strings.Builder
	_, _ = fmt.Fprintf(&script, `CREATE TABLE keys (hash TEXT PRIMARY KEY, fleet BIGINT NOT NULL);
		CREATE TABLE customers (id BIGINT NOT NULL, fleet BIGINT NOT NULL, phone BIGINT NOT NULL, PRIMARY KEY (fleet, phone));
		CREATE TABLE changes (id %s PRIMARY KEY, customer BIGINT NOT NULL, size BIGINT NOT NULL, at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
		INSERT INTO keys VALUES ('%s', 689);`, ids, hashed([]byte(demoKey)))
	_, _ = fmt.Fprintf(&script, `INSERT INTO customers WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %s)
		SELECT %d + i, 689, %d + i FROM n;`, os.Getenv(bareCustomers), firstCustomer, firstPhone)
	return script.String()
}

func bareOnMemory() bare {
	var id atomic.Int64
	customers := map[[2]any]int64{{hashed([]byte(demoKey)), int64(firstPhone)}: firstCustomer}
	return bare{
		find:   func(_ context.Context, args ...any) (int64, error) { return customers[[2]any(args)], nil },
		record: func(context.Context, ...any) (int64, error) { return id.Add(1), nil },
	}
}

func bareOnSQLite(ctx context.Context, path string) (bare, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return bare{}, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer at a time
	_, err = db.ExecContext(ctx, tables("INTEGER"))
	prepare := func(query string) statement {
		prepared, prepareErr := db.PrepareContext(ctx, query) //nolint:sqlclosecheck // the process ends with it
		err = errors.Join(err, prepareErr)
		return func(ctx context.Context, args ...any) (id int64, err error) {
			err = prepared.QueryRowContext(ctx, args...).Scan(&id)
			return id, err
		}
	}
	return bare{find: prepare(findQuery), record: prepare(recordQuery)}, err
}

func bareOnPostgres(ctx context.Context, url string) (bare, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return bare{}, err
	}
	_, err = pool.Exec(ctx, tables("BIGSERIAL"))
	prepare := func(query string) statement {
		return func(ctx context.Context, args ...any) (id int64, err error) {
			err = pool.QueryRow(ctx, query, args...).Scan(&id)
			return id, err
		}
	}
	return bare{find: prepare(findQuery), record: prepare(recordQuery)}, err
}

// serveBare serves a bare handler, the photos and figures of the memory, and says
// where as the product does.
func serveBare(ctx context.Context) error {
	var h bare
	var err error
	switch url := os.Getenv(databaseURL); {
	case url == "memory://":
		h = bareOnMemory()
	case strings.HasPrefix(url, "sqlite://"):
		h, err = bareOnSQLite(ctx, strings.TrimPrefix(url, "sqlite://"))
	default:
		h, err = bareOnPostgres(ctx, url)
	}
	photos, photosErr := openPhotos(ctx)
	if err := errors.Join(err, photosErr); err != nil {
		return err
	}
	h.photos = photos
	http.Handle("POST /update_customer_photo.json", h)
	http.HandleFunc("GET /photos/{name}", func(w http.ResponseWriter, r *http.Request) {
		photo, _ := photos.get(r.Context(), r.PathValue("name"))
		_, _ = w.Write(photo)
	})
	http.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		_, _ = fmt.Fprintf(w, "%s %d\n%s %d\n", objectsMetric, m.Mallocs, bytesMetric, m.TotalAlloc)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	for _, setting := range []string{apiAddress, adminAddress} {
		_, _ = fmt.Fprintf(os.Stderr, `{"setting":%q,"address":%q}`+"\n", setting, listener.Addr())
	}
	return http.Serve(listener, nil)
}
