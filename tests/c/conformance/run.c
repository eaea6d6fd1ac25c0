/* Finds a case in the list, and runs its steps. */
#include "world.h"

#include "../folder.h"

static void run_step(world *self, char *line) {
    const step *const all[] = {opening_steps, publishing_steps, event_steps, letter_steps, thread_steps, telling_steps};
    const char *name = take_word(&line);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (const step *known = all[i]; known->name != NULL; known++) {
            if (strcmp(known->name, name) == 0) {
                known->run(self, line);
                return;
            }
        }
    }
    check_failed(__FILE__, __LINE__, "the runner knows the step");
}

/* The text of a file, which the caller frees. */
static char *text_of_file(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) perror(path);
    CHECK(file != NULL);
    char *text = NULL;
    size_t room = 0;
    CHECK(getdelim(&text, &room, '\0', file) >= 0);
    fclose(file);
    return text;
}

int run_case(const language *language, int argc, char **argv) {
    CHECK_IS(4, argc);
    char *cases = text_of_file(argv[2]), *folder = text_of("%.*s", (int)(strrchr(argv[2], '/') - argv[2]), argv[2]);
    char *template = text_of("%s/event.json", folder), *begin = text_of("\ncase %s\n", argv[3]);
    char *steps = strstr(cases, begin);
    CHECK(steps != NULL);
    world self = {.by = language, .service = emulator_start(argv[1]), .template = text_of_file(template)};
    self.template[strcspn(self.template, "\n")] = '\0';
    self.log = text_of("%s", "");
    self.folder = folder_make();
    int count = 0;
    for (char *line = steps + strlen(begin), *end; strncmp(line, "case ", 5) != 0 && *line != '\0'; line = end) {
        end = line + strcspn(line, "\n");
        if (*end == '\n') *end++ = '\0';
        if (*line == '\0') continue;
        fprintf(stderr, "%s\n", line); /* so that a failure shows where it was */
        run_step(&self, line);
        count++;
    }
    CHECK(count > 0);
    for (size_t i = 0; i < self.count; i++) {
        if (self.events[i].taken.event != NULL) language->forget(&self.events[i].taken);
        free(self.events[i].json);
    }
    if (self.feed != NULL) language->destroy(self.feed);
    emulator_stop(&self.service);
    folder_remove(self.folder);
    char *const all[] = {self.template, self.log, cases, folder, template, begin};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    return 0;
}
