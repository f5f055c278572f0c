// What Go's text/template makes of emitted ExternalSecrets.
//
// Reads a JSON list of cases from stdin, each an ExternalSecret and the values that its data items would have, and
// writes what the Secret would hold. It does what External Secrets Operator's v2 engine documents: every value of
// template.data, and of the labels and annotations, is a template over the fetched values; a missing key is an error;
// with mergePolicy Merge, what is fetched stays beside what is templated; without template.data, it is what there is.
// Only the functions that `seed` writes exist here, so that any other is an error.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"text/template"
)

type input struct {
	Object struct {
		Spec struct {
			Target struct {
				Template *struct {
					EngineVersion string            `json:"engineVersion"`
					MergePolicy   string            `json:"mergePolicy"`
					Data          map[string]string `json:"data"`
					Metadata      struct {
						Annotations map[string]string `json:"annotations"`
						Labels      map[string]string `json:"labels"`
					} `json:"metadata"`
				} `json:"template"`
			} `json:"target"`
		} `json:"spec"`
	} `json:"object"`
	Values map[string]string `json:"values"`
}

type output struct {
	Annotations map[string]string `json:"annotations"`
	Data        map[string]string `json:"data"`
	Labels      map[string]string `json:"labels"`
	Error       string            `json:"error"`
}

func main() {
	var cases []input
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	outputs := make([]output, 0, len(cases))
	for _, one := range cases {
		secret, err := run(one)
		if err != nil {
			secret.Error = err.Error()
		}
		outputs = append(outputs, secret)
	}
	if err := json.NewEncoder(os.Stdout).Encode(outputs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(one input) (output, error) {
	var secret output
	block := one.Object.Spec.Target.Template
	if block == nil {
		return secret, fmt.Errorf("the manifest has no template")
	}
	if block.EngineVersion != "" && block.EngineVersion != "v2" {
		return secret, fmt.Errorf("engine version %s", block.EngineVersion)
	}
	var err error
	if secret.Labels, err = execute(block.Metadata.Labels, one.Values); err != nil {
		return secret, err
	}
	if secret.Annotations, err = execute(block.Metadata.Annotations, one.Values); err != nil {
		return secret, err
	}
	secret.Data = map[string]string{}
	if len(block.Data) == 0 || block.MergePolicy == "Merge" {
		for key, value := range one.Values {
			secret.Data[key] = value
		}
	}
	templated, err := execute(block.Data, one.Values)
	for key, value := range templated {
		secret.Data[key] = value
	}
	return secret, err
}

func execute(templates, values map[string]string) (map[string]string, error) {
	made := map[string]string{}
	for key, text := range templates {
		parsed, err := template.New(key).Option("missingkey=error").Funcs(functions).Parse(text)
		if err != nil {
			return nil, err
		}
		var buffer bytes.Buffer
		if err := parsed.Execute(&buffer, values); err != nil {
			return nil, err
		}
		made[key] = buffer.String()
	}
	return made, nil
}

var functions = template.FuncMap{
	"b64enc": func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
	"toJson": func(value any) (string, error) {
		text, err := json.Marshal(value)
		return string(text), err
	},
}
