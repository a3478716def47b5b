package vlens

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"
)

// answer is the body for a JPEG of about 300 KiB, as the archive meets most.
func answer(tb testing.TB) []byte {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	picture := image.NewGray(image.Rect(0, 0, 640, 512))
	for n := range picture.Pix {
		picture.Pix[n] = byte(random.Uint32())
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 93}); err != nil {
		tb.Fatal(err)
	}
	if b.Len() < 250<<10 || b.Len() > 350<<10 {
		tb.Fatalf("the sample has %d bytes", b.Len())
	}
	return []byte(`{"data":{"image":"` + base64.StdEncoding.EncodeToString(b.Bytes()) + `"},"error_code":0,"error_message":null,"error_descriptions":null}`)
}

func decodeOnce(tb testing.TB, c *Client, body []byte) *Image {
	tb.Helper()
	r := &reply{status: 200, envelope: parseEnvelope(body)}
	if fault := c.config.Codes.judge(EndpointImage, r); fault != nil {
		tb.Fatal(fault)
	}
	i, fault := c.decode(r)
	if fault != nil {
		tb.Fatal(fault)
	}
	if !i.Complete {
		tb.Fatal("not complete")
	}
	return i
}

// An answer of 300 KiB is decoded without a copy of its text or a new buffer.
func TestDecodingAllocatesLittle(t *testing.T) {
	c := &Client{config: &Config{MaxImageBytes: 1 << 20}}
	body := answer(t)
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			decodeOnce(b, c, body).Release()
		}
	})
	// A pool loses a buffer to the collector now and then, and one in four on
	// purpose under the race detector; a buffer for every image would be 320 KiB.
	if result.AllocedBytesPerOp() > 200<<10 {
		t.Errorf("%d bytes allocated for an image", result.AllocedBytesPerOp())
	}
}

func BenchmarkDecode(b *testing.B) {
	c := &Client{config: &Config{MaxImageBytes: 1 << 20}}
	plain := answer(b)
	for name, body := range map[string][]byte{
		"plain":   plain,
		"escaped": []byte(strings.ReplaceAll(string(plain), "/", `\/`)),
	} {
		b.Run(name, func(b *testing.B) {
			work := make([]byte, len(body))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				copy(work, body) // escapes are resolved in place
				decodeOnce(b, c, work).Release()
			}
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	c := &Client{config: &Config{MaxImageBytes: 1 << 20}}
	picture := decodeOnce(b, c, answer(b)).Bytes
	for name, content := range map[string][]byte{
		"jpeg":             picture,
		"jpeg with a tail": append(bytes.Clone(picture), 0),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if info, ok := Inspect(content); !ok || !info.Complete {
					b.Fatal(info)
				}
			}
		})
	}
}

func TestSizeClasses(t *testing.T) {
	t.Parallel()
	classes := map[int]int{}
	for n := 1; n < 1<<31; n += 1 + n/97 {
		size, class := sizeClass(n)
		if size < n || n > smallestBuffer && size > n+n/4+4 {
			t.Fatalf("%d bytes in a buffer of %d", n, size)
		}
		if known, ok := classes[class]; ok && known != size {
			t.Fatalf("class %d holds %d and %d", class, known, size)
		}
		classes[class] = size
		if again, same := sizeClass(size); again != size || same != class {
			t.Fatalf("a buffer of %d goes to class %d, not %d", size, same, class)
		}
		if class >= len(bufferPools) {
			t.Fatalf("class %d", class)
		}
	}
}
