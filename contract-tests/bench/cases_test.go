package bench

// variant is a case: what is sent to which servers, and how.
type variant struct {
	factor, level string
	photo         picture
	body          string
	on            []string // backends
	connections   int
	customers     int
	settings      []string // of the product
	crowded       bool     // the server may refuse calls; the bare handler isn't measured
}

// The backends: where the database is, and where the photos are.
const (
	onMemory   = "memory"
	onSQLite   = "sqlite+files"
	onPostgres = "postgres+files"
	onS3       = "postgres+s3"
)

// base is what the other cases differ from in one factor.
var base = variant{
	factor: "base", level: "none", photo: jpeg50KB, body: "json",
	on: []string{onSQLite, onPostgres}, connections: 8, customers: 1000,
}

// few is for large photos, so that a thousand of them don't fill a disk.
const few = 64

var cases = []variant{
	base,
	base.with("body", "form", func(v *variant) { v.body = "form" }),
	base.with("body", "multipart", func(v *variant) { v.body = "multipart" }),
	base.with("body", "multipart-base64", func(v *variant) { v.body = "multipart-base64" }),
	base.with("size", "300KB", func(v *variant) { v.photo = jpeg300KB }),
	base.with("size", "3MB", func(v *variant) {
		v.photo, v.settings, v.customers = jpeg3MB, []string{"FLEETPHOTO_MAX_DIMENSION=0"}, few
	}),
	base.with("treatment", "verify-structure", func(v *variant) { v.settings = []string{"FLEETPHOTO_VERIFY=structure"} }),
	base.with("treatment", "png", func(v *variant) { v.photo = png512 }),
	base.with("treatment", "scaled-12MP", func(v *variant) { v.photo, v.customers = scaled12MP, few }),
	base.with("treatment", "rotated-1MP", func(v *variant) { v.photo = rotated1MP }),
	base.with("treatment", "rotated-12MP", func(v *variant) { v.photo, v.customers = rotated12MP, few }),
	base.with("treatment", "rotated-12MP-crowd", func(v *variant) {
		v.photo, v.customers, v.connections, v.crowded = rotated12MP, few, 64, true
		v.settings = []string{"FLEETPHOTO_MAX_INFLIGHT_BYTES=1GiB"} // so that all are let in
	}),
	base.with("backend", "memory", func(v *variant) { v.on, v.customers = []string{onMemory}, 1 }), // all that a demo has
	base.with("backend", "s3", func(v *variant) { v.on = []string{onS3} }),
	base.with("connections", "1", func(v *variant) { v.connections = 1 }),
	base.with("connections", "4", func(v *variant) { v.connections = 4 }),
	base.with("connections", "32", func(v *variant) { v.connections = 32 }),
	base.with("connections", "256", func(v *variant) { v.connections = 256 }),
	base.with("customers", "100000", func(v *variant) { v.customers = 100_000 }),
	base.with("customers", "1000000", func(v *variant) { v.customers = 1_000_000 }),
}

func (v variant) with(factor, level string, vary func(v *variant)) variant {
	v.factor, v.level = factor, level
	vary(&v)
	return v
}

func (v variant) String() string {
	if v.factor == base.factor {
		return base.factor
	}
	return v.factor + "=" + v.level
}
