package vlens

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ImageRequest names one image.
type ImageRequest struct {
	// TransactionID is a UUID in any case, or empty when none is known.
	TransactionID string
	// FileName is as the listing gave it.
	FileName string
}

// Image is one fetched image. Its owner calls Release.
type Image struct {
	// Bytes are the image as the vendor has it. They must not be used after
	// Release.
	Bytes []byte
	// Info is what Bytes turned out to be, whatever the file name says.
	Info
	// Provenance names the request that brought it.
	Provenance

	buffer *buffer
	hold   hold
}

// Release gives the memory back. It may be called more than once.
func (i *Image) Release() {
	i.Bytes = nil
	i.buffer.recycle()
	i.buffer = nil
	i.hold.shrinkTo(0)
}

// Image fetches one image. One that breaks off is fetched once more; if that
// does not mend it, the longer of the two is returned with Complete false.
func (c *Client) Image(ctx context.Context, r ImageRequest) (*Image, error) {
	query, err := r.query()
	if err != nil {
		return nil, fmt.Errorf("fetch image: %w", err)
	}
	first, err := c.fetch(ctx, question{endpoint: EndpointImage, query: query, unsure: r.TransactionID == ""})
	if err != nil || first.Complete {
		return first, err
	}
	// Whoever waits for memory while holding some may wait for one who does the
	// same, so this wait has an end.
	second, err := c.fetch(ctx, question{endpoint: EndpointImage, query: query, tries: 1, memoryWait: c.config.Timeout})
	switch {
	case ctx.Err() != nil:
		first.Release()
		if err == nil {
			second.Release()
		}
		return nil, ctx.Err()
	case err != nil:
		return first, nil //nolint:nilerr // half an image is better evidence than none
	case second.Complete || len(second.Bytes) > len(first.Bytes):
		first.Release()
		return second, nil
	}
	second.Release()
	return first, nil
}

func (r ImageRequest) query() (url.Values, error) {
	if r.FileName == "" {
		return nil, errors.New("the file name is empty")
	}
	query := url.Values{"FileName": {r.FileName}}
	if r.TransactionID != "" {
		id, ok := parseTransactionID(r.TransactionID)
		if !ok {
			return nil, errors.New("the transaction id is not a UUID")
		}
		query.Set("TransactionId", id)
	}
	return query, nil
}

func (c *Client) fetch(ctx context.Context, q question) (*Image, error) {
	var image *Image
	q.read = func(r *reply) (fault *Error) {
		image, fault = c.decode(r)
		return fault
	}
	if err := c.ask(ctx, q); err != nil {
		return nil, err
	}
	return image, nil
}

// decode makes an image of a successful reply. The image takes over the part of
// the reply's hold on memory that it needs.
func (c *Client) decode(r *reply) (*Image, *Error) {
	var value []byte
	for _, m := range r.envelope.data {
		if strings.EqualFold(m.name, "image") {
			value = m.value
		}
	}
	text, ok := base64Text(value)
	if !ok || len(text) == 0 {
		return nil, unreadable(EndpointImage, r)
	}
	decoded := newBuffer(decodedBytes(len(text)))
	n, err := decodeBase64(decoded.bytes, text)
	if err != nil {
		decoded.recycle()
		return nil, unreadable(EndpointImage, r)
	}
	image := &Image{Bytes: decoded.bytes[:n], buffer: decoded}
	if fault := c.inspect(image, r.status); fault != nil {
		image.Release()
		return nil, fault
	}
	image.Provenance = r.Provenance
	r.hold.shrinkTo(int64(len(decoded.bytes)))
	image.hold, r.hold = r.hold, hold{}
	return image, nil
}

func (c *Client) inspect(image *Image, status int) *Error {
	fault := &Error{Endpoint: EndpointImage, Status: status, Permanent: true}
	var known bool
	image.Info, known = Inspect(image.Bytes)
	switch {
	case len(image.Bytes) == 0:
		fault.Fault, fault.Permanent, fault.deliberate = FaultBadPayload, false, true
	case int64(len(image.Bytes)) > c.config.MaxImageBytes:
		fault.Fault = FaultTooLarge
	case !known:
		fault.Fault = FaultNotAnImage
	default:
		return nil
	}
	return fault
}

// maxImageBody is the longest body that can hold an image of the largest size.
func (c *Client) maxImageBody() int64 {
	return (c.config.MaxImageBytes+2)/3*4 + envelopeBytes
}

// decodedBytes is how much n characters of base64 decode to, at most.
func decodedBytes(n int) int { return (n + 3) / 4 * 3 }

// reserve takes the memory for a body of the given length, -1 if that is
// unknown, and for the image in it.
func (c *Client) reserve(ctx context.Context, q question, length int64, r *reply) error {
	limit := int(c.maxImageBody())
	bytes := limit + decodedBytes(limit)
	if length >= 0 {
		body, _ := sizeClass(bodyBuffer(length))
		image, _ := sizeClass(decodedBytes(int(length)))
		bytes = min(bytes, body+image)
	}
	wait := ctx
	if q.memoryWait > 0 {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, q.memoryWait)
		defer cancel()
	}
	var err error
	if r.hold, err = acquire(wait, c.config.Memory, int64(bytes)); err != nil {
		return orCancelled(ctx, fmt.Errorf("wait for memory for an image: %w", err))
	}
	return nil
}
