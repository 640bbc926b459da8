// Package photo turns an image file from a caller into a JPEG that may be
// stored: complete, upright, of bounded size and without metadata. For anything
// else it returns an error that says what was sent and what is accepted.
//
// The use cases import it; it imports domain, the standard library and
// golang.org/x/image.
package photo

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"image"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo/jpeg"
)

// Reader turns image files into photos. It is safe for concurrent use.
type Reader struct {
	limits Limits
	fast   lane
	slow   lane // for images that take much memory or time
}

// lane decodes images, as many at once as it has slots.
type lane struct {
	turns
	patience time.Duration // how long one image may take
}

// An image within the limits takes a tenth of the patience at most, by estimate.
// Running out of patience means that the estimate was far too low.
const (
	fastPatience = 10 * time.Second
	slowPatience = 20 * time.Second
)

// The longest queues of one fleet, in estimated decoding time. A fleet alone
// thus waits for at most half the timeout of a call; the other half leaves time
// for the images of other fleets.
const (
	fastQueue = 15 * time.Second // per slot
	slowQueue = 8 * time.Second
)

// queueRetry is how long a fleet whose queue is full is told to wait.
const queueRetry = 5 * time.Second

// errPatience is the cause of a context that ends because an image takes too long.
var errPatience = errors.New("the image took too long to decode")

// NewReader returns a Reader that decodes at most parallel images at once, but
// at least one. Beside them it decodes one larger image at a time: one that is
// estimated to take more than 64 MB of memory or more than half a second.
func NewReader(limits Limits, parallel int) *Reader {
	parallel = max(parallel, 1)
	return newReader(limits, parallel, fastQueue*time.Duration(parallel), slowQueue, cmp.Or(limits.MaxWaiting, math.MaxInt64))
}

// NewBatchReader is like NewReader, for a command that itself bounds how many
// images it reads at once: the queues are unlimited.
func NewBatchReader(limits Limits, parallel int) *Reader {
	return newReader(limits, max(parallel, 1), math.MaxInt64, math.MaxInt64, math.MaxInt64)
}

func newReader(limits Limits, parallel int, mostFast, mostSlow time.Duration, mostBytes int64) *Reader {
	return &Reader{
		limits: limits,
		fast:   lane{turns{free: parallel, most: ask{mostFast, mostBytes}}, fastPatience},
		slow:   lane{turns{free: 1, most: ask{mostSlow, mostBytes}}, slowPatience},
	}
}

// Limits returns the limits given to the constructor.
func (r *Reader) Limits() Limits { return r.limits }

// Read makes a photo of data, an image file of an accepted format, for a fleet.
//
// A JPEG that is upright, grey or YCbCr and within MaxDimension is kept
// losslessly, without its metadata and with only the part of its ICC profile
// that colours need. Any other image is decoded, blended over white, turned
// upright, scaled down to MaxDimension and encoded.
//
// Read may change data even if it fails, and the Photo may alias data. The
// Reading describes data as far as Read understood it.
//
// Read fails with TypeError if data isn't a complete image of an accepted
// format. It fails with PhotoTooLarge if data exceeds a limit, or if decoding
// takes more than ten seconds, or twenty for a larger image (see NewReader).
// Fleets are served in turn: Read fails at once with TooManyRequests if too much
// of this fleet is waiting, and with Unavailable if ctx ends while this or other
// images are being decoded.
func (r *Reader) Read(ctx context.Context, fleet domain.FleetID, data []byte) (domain.Photo, Reading, error) {
	if int64(len(data)) > r.limits.MaxBytes {
		return domain.Photo{}, Reading{}, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most %d bytes, got %d", r.limits.MaxBytes, len(data))
	}
	f, err := inspect(data)
	reading := Reading{Format: f.kind}
	if err != nil {
		return domain.Photo{}, reading, err
	}
	if err := r.limits.checkPixels(f); err != nil {
		return domain.Photo{}, reading, err
	}
	f.bytes = int64(len(data))
	clean, err := r.clean(ctx, fleet, f)
	if err != nil {
		return domain.Photo{}, reading, err
	}
	reading.Treatment = clean.treatment
	photo, err := domain.NewPhoto(clean.jpeg, clean.width, clean.height)
	return photo, reading, err
}

// Reading says what an image file was and what Read did with it.
type Reading struct {
	Format    string           // such as "progressive JPEG"; empty if no accepted format was recognised or the header is broken
	Treatment domain.Treatment // empty if the file was refused
}

// output is a JPEG that may be stored.
type output struct {
	jpeg          []byte
	width, height int
	treatment     domain.Treatment
}

// clean keeps the file or normalises it. Unless the headers are enough, it waits
// for a slot.
func (r *Reader) clean(ctx context.Context, fleet domain.FleetID, f file) (output, error) {
	t := target{f.size, r.limits.fit(f.size), f.orientation}
	keep := f.jpeg != nil && f.orientation == upright && t.to == t.from
	if keep && r.limits.Verify == VerifyStructure && f.jpeg.Whole() {
		return kept(f), nil
	}
	took, err := r.limits.checkLoad(f, t, keep)
	if err != nil {
		return output{}, err
	}
	work, l := took.time(f.size), &r.fast
	if work > laneTime || took.fixed+took.memory > laneMemory {
		l = &r.slow
	}
	if err := l.enter(ctx, fleet, ask{work, f.bytes}); err != nil {
		return output{}, err
	}
	defer l.leave(fleet)
	ctx, cancel := context.WithTimeoutCause(ctx, l.patience, errPatience)
	defer cancel()
	out, err := f.make(ctx, t, keep)
	switch ended := context.Cause(ctx); {
	case err == nil || ended == nil:
		return out, err
	case errors.Is(ended, errPatience):
		return output{}, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image that decodes in about a second, got a %s of %d × %d that took %v; send it smaller or as a baseline JPEG", f.kind, f.size.X, f.size.Y, l.patience).WithCause(err)
	default:
		return output{}, busy(ctx)
	}
}

// make checks a file that is kept, or normalises it.
func (f file) make(ctx context.Context, t target, keep bool) (output, error) {
	if !keep {
		return normalise(ctx, f, t)
	}
	if err := f.jpeg.Check(ctx); err != nil {
		return output{}, broken(f.kind, err)
	}
	return kept(f), nil
}

// kept returns the file unchanged but for its ICC profile.
func kept(f file) output {
	f.jpeg.SetProfile(neutralProfile(f.profile(), f.jpeg.Components))
	return output{f.jpeg.Bytes(), f.size.X, f.size.Y, domain.Kept}
}

// enter waits for a slot until it is the fleet's turn.
func (l *lane) enter(ctx context.Context, fleet domain.FleetID, one ask) error {
	err := l.take(ctx, fleet, one)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errQueue):
		full := domain.Errorf(domain.TooManyRequests, "photo_base64: want fewer images of one fleet at once: too many are waiting to be decoded; nothing was changed, send the call again in %v", queueRetry)
		full.RetryAfter = queueRetry
		return full
	}
	return busy(ctx)
}

func busy(ctx context.Context) error {
	return domain.Errorf(domain.Unavailable, "photo_base64: other images kept the server busy for too long; nothing was changed, send the call again").WithCause(context.Cause(ctx))
}

// format is an accepted image format.
type format struct {
	name    string
	begins  func(data []byte) bool
	inspect func(data []byte) (file, error) // reads the header without decoding; may change data
}

// file is an image file whose header was read.
type file struct {
	kind        string      // for messages, such as "interlaced PNG"
	size        image.Point // before the picture is turned upright
	orientation orientation // as the camera was held
	bytes       int64       // length of the file as sent
	jpeg        *jpeg.File  // the cleaned file if it may be stored; nil: it must be decoded
	load        func(t target, keep bool) load
	draw        func(ctx context.Context, t target) (jpeg.Picture, error)
	profile     func() []byte // returns the ICC profile or nil; a nil func: the profile doesn't describe what draw returns
}

// formats is the single list of accepted formats.
func formats() []format {
	return []format{
		{"JPEG", prefix("\xff\xd8\xff"), inspectJPEG},
		{"PNG", prefix("\x89PNG\r\n\x1a\n"), inspectPNG},
		{"GIF", prefix("GIF87a", "GIF89a"), inspectGIF},
		{"WebP", riff("WEBP"), inspectWebP},
	}
}

// Accepted names the accepted formats, "JPEG, PNG, GIF or WebP".
func Accepted() string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// inspect recognises data by its content and reads its header.
func inspect(data []byte) (file, error) {
	for _, f := range formats() {
		if f.begins(data) {
			return f.inspect(data)
		}
	}
	return file{}, refuse(data)
}

// prefix matches data that begins with one of the texts.
func prefix(texts ...string) func([]byte) bool {
	return func(data []byte) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return bytes.HasPrefix(data, []byte(text)) })
	}
}

// riff matches a RIFF container of one of the forms.
func riff(forms ...string) func([]byte) bool {
	return func(data []byte) bool {
		return len(data) >= 12 && string(data[:4]) == "RIFF" && prefix(forms...)(data[8:])
	}
}

func broken(kind string, cause error) error {
	return domain.Errorf(domain.TypeError, "photo_base64: the %s image is broken or cut off; send a whole one", kind).WithCause(cause)
}

// until returns a reader that fails soon after ctx ends, for decoders that take
// no context.
func until(ctx context.Context, r io.Reader) io.Reader { return bufio.NewReader(endingReader{ctx, r}) }

type endingReader struct {
	ctx context.Context
	io.Reader
}

func (r endingReader) Read(p []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// Describe returns the checksum, size and dimensions of a stored photo. The
// dimensions are zero if data is not a JPEG.
func Describe(data []byte) domain.PhotoInfo {
	info := domain.PhotoInfo{SHA256: sha256.Sum256(data), Size: int64(len(data))}
	if width, height, err := jpeg.Size(data); err == nil {
		info.Width, info.Height = width, height
	}
	return info
}
