package vlens_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vlens-archiver/vlens"
)

func TestBase64InAllItsForms(t *testing.T) {
	t.Parallel()
	// Lengths of all remainders, and bytes that use both special characters.
	for length := range 3 {
		want := append(bytes.Clone(photo), bytes.Repeat([]byte{0xfb, 0xff, 0xfe}, 40)[:99+length]...)
		std := base64.StdEncoding.EncodeToString(want)
		if !strings.Contains(std, "/") || !strings.Contains(std, "+") {
			t.Fatal("the sample has no special characters")
		}
		wrap := func(with string) string {
			var b strings.Builder
			for n := 0; n < len(std); n += 76 {
				b.WriteString(std[n:min(n+76, len(std))] + with)
			}
			return b.String()
		}
		for name, text := range map[string]string{
			"standard":               std,
			"unpadded":               strings.TrimRight(std, "="),
			"URL alphabet":           base64.URLEncoding.EncodeToString(want),
			"URL alphabet, unpadded": base64.RawURLEncoding.EncodeToString(want),
			"wrapped":                wrap(`\r\n`),
			"wrapped with spaces":    wrap(" "),
			"data URI":               "data:image/jpeg;base64," + std,
			"data URI, capitals":     "DATA:Image/JPEG;charset=utf-8;BASE64," + std,
			"escaped slashes":        strings.ReplaceAll("data:image/jpeg;base64,"+std, "/", `\/`),
			"escaped by number":      strings.NewReplacer("/", `\u002f`, "+", `\u002B`, "=", `\u003d`).Replace(std),
			"all at once":            strings.ReplaceAll("data:image/jpeg;base64,"+wrap(`\n`), "/", `\/`),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				bubble(t, func(t *testing.T, v *vendor) {
					v.Image = says(200, imageText(text))
					i, err := v.client(t, once).Image(t.Context(), wanted)
					if err != nil {
						t.Fatal(err)
					}
					defer i.Release()
					if !bytes.Equal(i.Bytes, want) {
						t.Error("other bytes")
					}
					if i.Info != (vlens.Info{MediaType: "image/jpeg", Width: 24, Height: 16, Complete: true}) {
						t.Errorf("%+v", i.Info)
					}
				})
			})
		}
	}
}

func TestNotBase64(t *testing.T) {
	t.Parallel()
	std := base64.StdEncoding.EncodeToString(photo)
	for name, text := range map[string]string{
		"a foreign character":   std[:99] + "*" + std[100:],
		"padding in the middle": std[:100] + "=" + std[100:],
		"too much padding":      std + "====",
		"one character left":    strings.TrimRight(std, "=")[:41],
		"an escaped quote":      std[:40] + `\"` + std[40:],
		"beyond ASCII":          std[:40] + `\u00e9` + std[40:],
		"data URI with no data": "data:image/jpeg;base64",
		"only white space":      `\r\n `,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.Image = says(200, imageText(text))
				_, err := v.client(t, once).Image(t.Context(), wanted)
				wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultBadPayload, Status: 200})
			})
		})
	}
}

func TestImageSizes(t *testing.T) {
	t.Parallel()
	// sized is a complete JPEG with a tail, n bytes in all.
	sized := func(n int) []byte { return append(bytes.Clone(photo), make([]byte, n-len(photo))...) }
	unknownLength := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, body)
		}
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":{"image":"`)
		for {
			if _, err := io.WriteString(w, strings.Repeat("A", 4<<10)); err != nil {
				return
			}
		}
	}
	const limit = 200_000
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		ok     bool
	}{
		"at the limit":                       {says(200, imageBody(sized(limit))), true},
		"at the limit, unknown length":       {unknownLength(imageBody(sized(limit))), true},
		"one byte over":                      {says(200, imageBody(sized(limit+1))), false},
		"far over":                           {says(200, imageBody(sized(3*limit))), false},
		"far over, unknown length":           {unknownLength(imageBody(sized(3 * limit))), false},
		"a body without end":                 {endless, false},
		"a Content-Length beyond all bounds": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "9000000000000000000") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.Image = test.answer
				budget := newBudget(t, limit*7/3+1<<20)
				c := v.client(t, func(c *vlens.Config) { c.MaxImageBytes, c.Memory = limit, budget })
				i, err := c.Image(t.Context(), wanted)
				if !test.ok {
					wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultTooLarge, Status: 200, Permanent: true})
					v.wantRequests(t, 1, 0, 0, 1)
					budget.wantAllBack(t)
					return
				}
				if err != nil || len(i.Bytes) != limit {
					t.Fatalf("%v", err)
				}
				if held := budget.held(); held < limit || held > limit*5/4 {
					t.Errorf("%d bytes held for an image of %d", held, limit)
				}
				i.Release()
				i.Release()
				budget.wantAllBack(t)
			})
		})
	}
}

// A transport may say one length and deliver another.
func TestContentLengthLies(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		body := imageBody(photo)
		lie := func(length int64) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				resp, err := v.transport.RoundTrip(r)
				if err == nil && r.URL.Path == imagePath {
					_ = resp.Body.Close()
					resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(body)), length
				}
				return resp, err
			})
		}
		for _, length := range []int64{0, 1, 1 << 20} {
			budget := newBudget(t, 1<<40)
			i, err := v.client(t, func(c *vlens.Config) { c.Transport, c.Memory = lie(length), budget }).Image(t.Context(), wanted)
			if err != nil || !bytes.Equal(i.Bytes, photo) {
				t.Errorf("length %d: %v", length, err)
				continue
			}
			i.Release()
			budget.wantAllBack(t)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestIncompleteImagesAreFetchedOnceMore(t *testing.T) {
	t.Parallel()
	short, long := photo[:len(photo)-60], photo[:len(photo)-20]
	for name, test := range map[string]struct {
		first, second http.HandlerFunc
		want          []byte
	}{
		"mended":                       {says(200, imageBody(short)), says(200, imageBody(photo)), photo},
		"the second is longer":         {says(200, imageBody(short)), says(200, imageBody(long)), long},
		"the first is longer":          {says(200, imageBody(long)), says(200, imageBody(short)), long},
		"the same":                     {says(200, imageBody(long)), says(200, imageBody(long)), long},
		"the second fails":             {says(200, imageBody(short)), says(500, ""), short},
		"the second is gone":           {says(200, imageBody(short)), says(404, ""), short},
		"the second is not an image":   {says(200, imageBody(short)), says(200, imageText("Ynl0ZXM=")), short},
		"the second is said too large": {says(200, imageBody(short)), func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "9000000000") }, short},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				budget := newBudget(t, 1<<40)
				v.Image = inTurn(test.first, test.second)
				i, err := v.client(t, func(c *vlens.Config) { c.Memory = budget }).Image(t.Context(), wanted)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(i.Bytes, test.want) || i.Complete != (len(test.want) == len(photo)) {
					t.Errorf("%d bytes, complete %t; want %d bytes", len(i.Bytes), i.Complete, len(test.want))
				}
				i.Release()
				budget.wantAllBack(t)
				v.wantRequests(t, 1, 0, 0, 2)
			})
		})
	}
}

func TestCancelledRefetch(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		budget := newBudget(t, 1<<40)
		v.Image = inTurn(says(200, imageBody(photo[:100])), delayed(time.Hour, nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := v.client(t, func(c *vlens.Config) { c.Memory = budget }).Image(ctx, wanted)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		budget.wantAllBack(t)
	})
}

// Truncated images must not wait for each other's memory for ever.
func TestRefetchesDoNotStarveEachOther(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.Image = says(200, imageBody(photo[:len(photo)-20]))
		// Room for two first answers, and none besides.
		budget := newBudget(t, 2*128<<10)
		c := v.client(t, func(c *vlens.Config) { c.Memory, c.MaxImageBytes = budget, 90_000 })
		var mu sync.Mutex
		var images []*vlens.Image
		wantAll(t, together(4, func() error {
			i, err := c.Image(t.Context(), wanted)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				images = append(images, i)
				if len(images)%2 == 0 {
					images[0].Release()
					images[1].Release()
					images = nil
				}
			}
			return err
		}), nil)
		budget.wantAllBack(t)
	})
}

func TestMemoryBoundsBodiesInFlight(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		// One of these takes 64 KiB for the body and 64 KiB for the image.
		budget := newBudget(t, 3*128<<10)
		c := v.client(t, func(c *vlens.Config) { c.Memory, c.MaxImageBytes = budget, 90_000 })
		wantAll(t, together(40, func() error {
			i, err := c.Image(t.Context(), wanted)
			if err == nil {
				time.Sleep(time.Second)
				i.Release()
			}
			return err
		}), nil)
		budget.wantAllBack(t)
		if budget.most > 3*128<<10 {
			t.Errorf("%d bytes at once", budget.most)
		}
	})
}

func TestMemoryIsReturnedAfterErrors(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		budget := newBudget(t, 1<<40)
		v.Image = inTurn(
			says(200, imageText("***")),
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(w, `{"data"`)
			},
			says(200, "no JSON"),
			says(200, imageText("Ynl0ZXM=")),
		)
		_, err := v.client(t, func(c *vlens.Config) { c.Memory = budget }).Image(t.Context(), wanted)
		wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultNotAnImage, Status: 200, Permanent: true})
		v.wantRequests(t, 1, 0, 0, 4)
		budget.wantAllBack(t)
		if budget.most == 0 {
			t.Error("nothing was ever taken")
		}
	})
}

// TestImageWithoutSize: a header that claims more pixels than a number of 32 bits
// holds does not lose the image.
func TestImageWithoutSize(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{
		"wide": tiffOf(binary.LittleEndian, "II*\x00", math.MaxInt32+1, 17),
		"high": bmpOfHeight(math.MinInt32),
	} {
		bubble(t, func(t *testing.T, v *vendor) {
			v.Image = says(200, imageBody(content))
			i, err := v.client(t, once).Image(t.Context(), wanted)
			if err != nil {
				t.Fatal(err)
			}
			defer i.Release()
			if i.Width != 0 || i.Height != 0 || !i.Complete || !bytes.Equal(i.Bytes, content) {
				t.Errorf("%s: %+v", name, i.Info)
			}
		})
	}
}

// budget is a semaphore that keeps books and allows no mistake.
type budget struct {
	t          *testing.T
	mu         sync.Mutex
	freed      *sync.Cond
	size, used int64
	most       int64
}

func newBudget(t *testing.T, size int64) *budget {
	b := &budget{t: t, size: size}
	b.freed = sync.NewCond(&b.mu)
	return b
}

func (b *budget) Acquire(ctx context.Context, n int64) error {
	if n > b.size || n <= 0 {
		b.t.Errorf("asked for %d of %d bytes", n, b.size)
		return errors.New("never")
	}
	stop := context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.freed.Broadcast()
	})
	defer stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.used+n > b.size {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.freed.Wait()
	}
	b.used += n
	b.most = max(b.most, b.used)
	return nil
}

func (b *budget) Release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used -= n; b.used < 0 || n <= 0 {
		b.t.Errorf("gave back %d bytes, %d remain", n, b.used)
	}
	b.freed.Broadcast()
}

func (b *budget) held() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

func (b *budget) wantAllBack(t *testing.T) {
	t.Helper()
	if held := b.held(); held != 0 {
		t.Errorf("%d bytes held", held)
	}
}
