// Flocking: one step of the simulation, and the birds as instances.
struct Bird { position: vec2f, speed: vec2f }
struct Rules { step: f32, near: f32, far: f32, turn: f32 }

@group(0) @binding(0) var<uniform> rules: Rules;
@group(0) @binding(1) var<storage, read> before: array<Bird>;
@group(0) @binding(2) var<storage, read_write> after: array<Bird>;

@compute @workgroup_size(64)
fn fly(@builtin(global_invocation_id) id: vec3u) {
    let count = arrayLength(&before);
    if (id.x >= count) { return; }
    var bird = before[id.x];
    var centre = vec2f(0.0);
    var apart = vec2f(0.0);
    for (var i = 0u; i < count; i++) {
        if (i == id.x) { continue; }
        let way = before[i].position - bird.position;
        if (length(way) < rules.far) { centre += way; }
        if (length(way) < rules.near) { apart -= way; }
    }
    bird.speed += centre * rules.turn + apart;
    bird.position += bird.speed * rules.step;
    after[id.x] = bird;
}

@vertex
fn place(@location(0) corner: vec2f, @location(1) position: vec2f, @location(2) speed: vec2f)
    -> @builtin(position) vec4f {
    let angle = -atan2(speed.x, speed.y);
    let turned = vec2f(corner.x * cos(angle) - corner.y * sin(angle),
                       corner.x * sin(angle) + corner.y * cos(angle));
    return vec4f(turned + position, 0.0, 1.0);
}

@fragment
fn paint() -> @location(0) vec4f { return vec4f(1.0); }
