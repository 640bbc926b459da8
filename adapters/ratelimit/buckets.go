package ratelimit

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

const (
	// mostKept bounds the number of buckets, and with it the memory, to 9 MB.
	mostKept = 1 << 15
	// mostTold bounds how many keys a Report lists separately.
	mostTold = 1000
)

// buckets are token buckets by key. Beyond mostKept, the least recently used
// bucket is dropped, and its key starts with a full bucket again. That never
// harms the owner of the key and is no use to an attacker: to get one bucket
// dropped, they need mostKept other keys, each with a burst that they could
// have used instead.
type buckets[K comparable] struct {
	rate  rate.Limit
	burst int

	mu      sync.Mutex
	kept    *simplelru.LRU[K, *rate.Limiter]
	refused map[K]int // since the last call of refusals; the zero K counts the keys beyond mostTold
}

func newBuckets[K comparable](limit rate.Limit, burst int) *buckets[K] {
	kept, err := simplelru.NewLRU[K, *rate.Limiter](mostKept, nil)
	if err != nil {
		panic(err) // mostKept isn't positive
	}
	return &buckets[K]{rate: limit, burst: burst, kept: kept, refused: map[K]int{}}
}

// take takes a token out of the key's bucket. If there is none, it counts a
// refusal and returns how long it takes until there is one.
func (b *buckets[K]) take(key K, now time.Time) time.Duration {
	if b.rate == 0 {
		return 0
	}
	wait := waitFor(b.bucket(key), now)
	if wait > 0 {
		b.count(key, 1)
	}
	return wait
}

func (b *buckets[K]) bucket(key K) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket, found := b.kept.Get(key)
	if !found {
		bucket = rate.NewLimiter(b.rate, b.burst)
		b.kept.Add(key, bucket)
	}
	return bucket
}

// waitFor takes a token out of bucket, or returns how long it takes until there
// is one.
func waitFor(bucket *rate.Limiter, now time.Time) time.Duration {
	if bucket.AllowN(now, 1) {
		return 0
	}
	missing := 1 - bucket.TokensAt(now)
	return time.Duration(missing/float64(bucket.Limit())*float64(time.Second)) + 1 // rounded up, and never 0
}

// count adds refused calls of a key.
func (b *buckets[K]) count(key K, calls int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, told := b.refused[key]; !told && len(b.refused) >= mostTold {
		var others K
		key = others
	}
	b.refused[key] += calls
}

// refusals returns how many calls were refused since its last call, by key.
func (b *buckets[K]) refusals() map[K]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	refused := b.refused
	b.refused = map[K]int{}
	return refused
}
