package manifest

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// EncodeProof gives the exact bytes of a proof that the log has an entry at this
// index: a C2SP tlog-proof (c2sp.org/tlog-proof), which holds the signed
// checkpoint and so needs nothing else but the verifier's key and the entry.
func EncodeProof(index int64, proof tlog.RecordProof, checkpoint []byte) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "c2sp.org/tlog-proof@v1\nindex %d\n", index)
	for _, hash := range proof {
		text.WriteString(base64.StdEncoding.EncodeToString(hash[:]) + "\n")
	}
	text.WriteString("\n")
	text.Write(checkpoint)
	return text.Bytes()
}
