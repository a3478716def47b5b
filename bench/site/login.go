package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"vlens-archiver/vlens/vlenstest"
)

// Login is the access token of the tenant's account, for clients that are spared
// logging in.
func (t *Tenant) Login(ctx context.Context) (string, error) {
	body, err := json.Marshal(map[string]string{
		"tenancyName":            vlenstest.DefaultTenancy,
		"userNameOrEmailAddress": vlenstest.DefaultUsername,
		"password":               vlenstest.DefaultPassword,
	})
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.BaseURL+"/api/credentials/Login", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("ApiKey", vlenstest.DefaultAPIKey)
	req.Header.Set("TenancyName", vlenstest.DefaultTenancy)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			AccessToken string `json:"accessToken"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	if answer.Data.AccessToken == "" {
		return "", errors.New("log in: the tenant gave no token")
	}
	return answer.Data.AccessToken, nil
}
