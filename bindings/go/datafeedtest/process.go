package datafeedtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// process is the emulator's program. It ends when its standard input does, so that it does not outlive a test that is
// killed.
type process struct {
	command *exec.Cmd
	input   io.Closer
	words   *bufio.Reader
	// config is what it says on its standard output, control the base URL of its control interface.
	config  map[string]any
	control string
}

func launch(program string, options ...string) (*process, error) {
	p := &process{command: exec.Command(program, append([]string{"--until-stdin-closes"}, options...)...)}
	input, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	words, err := p.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	p.input, p.words = input, bufio.NewReader(words)
	if err := p.listen(bufio.NewReader(output)); err != nil {
		if ended := p.end(); ended != nil {
			return nil, ended
		}
		return nil, err
	}
	return p, nil
}

// listen reads what it says when it serves.
func (p *process) listen(output *bufio.Reader) error {
	line, _ := output.ReadBytes('\n')
	if err := json.Unmarshal(line, &p.config); err != nil {
		return fmt.Errorf("it has printed no configuration: %w", err)
	}
	greeting, _ := p.words.ReadString('\n')
	_, control, told := strings.Cut(strings.TrimSpace(greeting), "controlled at ")
	if !told {
		return fmt.Errorf("it has not told where it is controlled: %s", greeting)
	}
	p.control = control
	return nil
}

// end lets it end, and returns what went wrong with it meanwhile.
func (p *process) end() error {
	p.input.Close()
	words, _ := io.ReadAll(p.words)
	if err := p.command.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, words)
	}
	return nil
}
