package ratelimit

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

const (
	// mostKept bounds the buckets, and with them the memory: 9 MB.
	mostKept = 1 << 15
	// mostTold bounds how many keys a Report tells apart.
	mostTold = 1000
)

// buckets are token buckets by key. Beyond mostKept the one that was used
// longest ago is forgotten, and its key begins with a full bucket again. That never
// hurts whom it belongs to, and gains a sender nothing: to have his own bucket
// forgotten he needs mostKept other keys, each of which has a burst of its own
// that he could have used instead.
type buckets[K comparable] struct {
	rate  rate.Limit
	burst int

	mu      sync.Mutex
	kept    *simplelru.LRU[K, *rate.Limiter]
	refused map[K]int // since the last refusals; the zero K has what is beyond mostTold
}

func newBuckets[K comparable](limit rate.Limit, burst int) *buckets[K] {
	kept, err := simplelru.NewLRU[K, *rate.Limiter](mostKept, nil)
	if err != nil {
		panic(err) // mostKept isn't positive
	}
	return &buckets[K]{rate: limit, burst: burst, kept: kept, refused: map[K]int{}}
}

// take takes a token out of the key's bucket. Where there is none, it counts
// the refusal and returns when there will be one.
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

// waitFor takes a token out of bucket, or returns when there will be one.
func waitFor(bucket *rate.Limiter, now time.Time) time.Duration {
	if bucket.AllowN(now, 1) {
		return 0
	}
	missing := 1 - bucket.TokensAt(now)
	return time.Duration(missing/float64(bucket.Limit())*float64(time.Second)) + 1 // rounded up, and never 0
}

// count counts so many refused calls.
func (b *buckets[K]) count(key K, calls int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, told := b.refused[key]; !told && len(b.refused) >= mostTold {
		var others K
		key = others
	}
	b.refused[key] += calls
}

// refusals returns how many calls were refused since the last time, by key.
func (b *buckets[K]) refusals() map[K]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	refused := b.refused
	b.refused = map[K]int{}
	return refused
}
