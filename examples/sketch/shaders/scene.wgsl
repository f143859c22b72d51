// scene.wgsl: everything the sketch draws into its picture: meshes, rocks, ground, lake, sky, dust.
// One sun with a shadow map, a hemisphere of sky and ground light, fog in the sky's colours.
// What changes slowly (fog, clouds' shade, place in the shadow map) is computed by vertex: the
// sketch must also run where a CPU plays the GPU, and there is no branching around work.

struct Frame {
    view_projection: mat4x4f,
    shadow: mat4x4f,       // world to shadow map: xy 0..1, z depth
    eye: vec4f,            // place of the camera; w = seconds
    right: vec4f,          // half the picture's width at distance 1; w = fade to the newer cloud
    up: vec4f,             // half the picture's height at distance 1; w = drift of the clouds
    forward: vec4f,        // view direction; w = strength of the nebula
    sun: vec4f,            // towards the sun; w = fog per metre
    sun_color: vec4f,      // w = exposure
    sky_light: vec4f,      // light from above; w = height of the water
    ground_light: vec4f,   // light from below; w = metres the depth map reaches to each side
    air: array<vec4f, 4>,  // colours of the palette: low and higher, away from and towards the sun
}

struct Item {
    place: mat4x4f,        // moves all instances of the item together
    look: vec4f,           // x = texture scale, y = strength of the texture, z = rim light
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(1) @binding(0) var<uniform> item: Item;
@group(2) @binding(0) var repeating: sampler;
@group(2) @binding(1) var clamped: sampler;
@group(2) @binding(2) var nearer: sampler_comparison;
@group(2) @binding(3) var shadow_map: texture_depth_2d;
@group(2) @binding(4) var palette: texture_2d<f32>;
@group(2) @binding(5) var older_cloud: texture_2d<f32>;
@group(2) @binding(6) var newer_cloud: texture_2d<f32>;
@group(2) @binding(7) var nebula: texture_2d<f32>;
@group(2) @binding(8) var depth_map: texture_2d<f32>;  // of the lake, 0..1 for 0..2 metres
@group(3) @binding(0) var surface: texture_2d<f32>;
@group(3) @binding(1) var bumps: texture_2d<f32>;      // normals in the object's space; a = 0: none

// ---- sky, air, light ----

fn sky_color(direction: vec3f) -> vec3f {
    let facing = 0.5 + 0.6 * dot(direction.xz, frame.sun.xz);
    let low = 1.0 - clamp(direction.y, 0.0, 1.0);
    let at = vec2f((1.0 - low * low) * 0.984 + 0.008, 0.25 + 0.5 * facing);
    return textureSampleLevel(palette, clamped, at, 0.0).rgb;
}

fn clouds_at(uv: vec2f) -> f32 {
    let older = textureSampleLevel(older_cloud, repeating, uv, 0.0).r;
    let newer = textureSampleLevel(newer_cloud, repeating, uv, 0.0).r;
    return mix(older, newer, frame.right.w);
}

// Colour of the air on the way to a place, and how much of it there is.
fn fog_to(world: vec3f) -> vec4f {
    let way = world - frame.eye.xyz;
    let distance = length(way);
    let direction = way / distance;
    let lowness = 1.0 / (1.0 + max(world.y, 0.0) * 0.12);
    let amount = 1.0 - exp(-distance * frame.sun.w * (0.25 + 0.75 * lowness));
    let towards = max(dot(direction, frame.sun.xyz), 0.0);
    let glow = towards * towards * towards * towards;
    let facing = 0.5 + 0.6 * dot(direction.xz, frame.sun.xz);
    let rise = clamp(direction.y * 3.0, 0.0, 1.0);
    let air = mix(mix(frame.air[0].rgb, frame.air[1].rgb, rise),
                  mix(frame.air[2].rgb, frame.air[3].rgb, rise), facing);
    return vec4f(air * 0.92 + frame.sun_color.rgb * glow * 0.08, amount);
}

// Filmic curve with the display's gamma in it (Hejl and Burgess-Dawson), and a little noise
// against bands.
fn develop(color: vec3f, clip: vec4f) -> vec4f {
    let gray = dot(color, vec3f(0.3, 0.5, 0.2));
    let x = max(mix(vec3f(gray), color, 1.25) * frame.sun_color.w - 0.004, vec3f(0.0));
    let film = (x * (6.2 * x + 0.5)) / (x * (6.2 * x + 1.7) + 0.06);
    let grain = fract(52.9829189 * fract(dot(clip.xy, vec2f(0.06711056, 0.00583715)))) - 0.5;
    return vec4f(film + grain / 255.0, 1.0);
}

// Place in the shadow map; moved along the normal, so that surfaces do not shade themselves.
fn shade_at(world: vec3f, normal: vec3f) -> vec3f {
    return (frame.shadow * vec4f(world + normal * 0.07, 1.0)).xyz;
}

fn sunlight(shade: vec3f) -> f32 {
    let light = textureSampleCompareLevel(shadow_map, nearer, shade.xy, min(shade.z, 1.0));
    let away = abs(shade.xy - 0.5);
    return select(1.0, light, max(away.x, away.y) < 0.499); // outside the map there is light
}

fn from_around(normal: vec3f) -> vec3f {
    return mix(frame.ground_light.rgb, frame.sky_light.rgb, 0.5 + 0.5 * normal.y);
}

// finish: x = metal, y = gloss.
fn lit(albedo: vec3f, view_way: vec3f, normal: vec3f, shade: vec3f, finish: vec2f) -> vec3f {
    let view = normalize(view_way);
    let sun = frame.sun_color.rgb * sunlight(shade) * max(dot(normal, frame.sun.xyz), 0.0);
    let outside = 1.0 - max(dot(normal, view), 0.0);
    let fresnel = outside * outside * outside;
    let power = 4.0 + 92.0 * finish.y * finish.y;
    let shine = pow(max(dot(normal, normalize(view + frame.sun.xyz)), 0.0), power);
    let bounced = reflect(-view, normal);
    let below = clamp(0.5 - 1.6 * bounced.y, 0.0, 1.0);
    let mirror = mix(sky_color(bounced), frame.ground_light.rgb * 2.2, below);
    let specular = mix(vec3f(0.04), albedo, finish.x);
    let diffuse = albedo * (1.0 - 0.8 * finish.x) * (from_around(normal) + sun);
    return diffuse + specular * sun * (shine * power * 0.12) +
        mirror * (specular + 0.25 * fresnel) * finish.y +
        frame.sky_light.rgb * (fresnel * item.look.z);
}

// ---- meshes ----

struct Vertex {
    @location(0) position: vec3f,
    @location(1) normal: vec3f,
    @location(2) uv: vec2f,
    @location(3) color: vec4f,
}

struct Instance {
    @location(4) position_scale: vec4f,
    @location(5) rotation: vec4f,   // quaternion
    @location(6) tint: vec4f,       // colour; w = metal
    @location(7) motion: vec4f,     // x = gloss, y = turns per second, z = first turn
}

struct Varying {
    @builtin(position) clip: vec4f,
    @location(0) view_way: vec3f,
    @location(1) normal: vec3f,
    @location(2) color: vec3f,
    @location(3) shade: vec3f,
    @location(4) fog: vec4f,
    @location(5) uv: vec2f,
    @location(6) @interpolate(flat) finish: vec2f,
}

struct RockVarying {
    @builtin(position) clip: vec4f,
    @location(0) view_way: vec3f,
    @location(1) normal: vec3f,
    @location(2) color: vec3f,
    @location(3) shade: vec3f,
    @location(4) fog: vec4f,
    @location(5) uv: vec2f,
    @location(6) @interpolate(flat) finish: vec2f,
    @location(7) @interpolate(flat) rotation: vec4f,
}

fn rotate(q: vec4f, v: vec3f) -> vec3f {
    return v + 2.0 * cross(q.xyz, cross(q.xyz, v) + q.w * v);
}

fn multiply(a: vec4f, b: vec4f) -> vec4f {
    return vec4f(a.w * b.xyz + b.w * a.xyz + cross(a.xyz, b.xyz), a.w * b.w - dot(a.xyz, b.xyz));
}

fn spin_of(instance: Instance) -> vec4f {
    let turn = (instance.motion.z + instance.motion.y * frame.eye.w) * 3.14159265;
    return multiply(instance.rotation, vec4f(0.0, sin(turn), 0.0, cos(turn)));
}

fn place_vertex(vertex: Vertex, instance: Instance, spin: vec4f) -> Varying {
    let local = rotate(spin, vertex.position * instance.position_scale.w) + instance.position_scale.xyz;
    let world = (item.place * vec4f(local, 1.0)).xyz;
    var out: Varying;
    out.clip = frame.view_projection * vec4f(world, 1.0);
    out.view_way = frame.eye.xyz - world;
    out.normal = (item.place * vec4f(rotate(spin, vertex.normal), 0.0)).xyz;
    out.color = vertex.color.rgb * instance.tint.rgb;
    out.shade = shade_at(world, out.normal);
    out.fog = fog_to(world);
    out.uv = vertex.uv * item.look.x;
    out.finish = vec2f(instance.tint.w, instance.motion.x);
    return out;
}

@vertex
fn vs_mesh(vertex: Vertex, instance: Instance) -> Varying {
    return place_vertex(vertex, instance, spin_of(instance));
}

@fragment
fn fs_mesh(in: Varying) -> @location(0) vec4f {
    let color = lit(in.color, in.view_way, normalize(in.normal), in.shade, in.finish);
    return develop(mix(color, in.fog.rgb, in.fog.a), in.clip);
}

// For meshes of unknown make: both sides of a triangle are its front.
@fragment
fn fs_two_sided(in: Varying, @builtin(front_facing) front: bool) -> @location(0) vec4f {
    let normal = normalize(select(-in.normal, in.normal, front));
    let color = lit(in.color, in.view_way, normal, in.shade, in.finish);
    return develop(mix(color, in.fog.rgb, in.fog.a), in.clip);
}

@fragment
fn fs_textured(in: Varying) -> @location(0) vec4f {
    let texel = textureSample(surface, repeating, in.uv).rgb;
    let albedo = in.color * mix(vec3f(1.0), texel, item.look.y);
    let color = lit(albedo, in.view_way, normalize(in.normal), in.shade, in.finish);
    return develop(mix(color, in.fog.rgb, in.fog.a), in.clip);
}

// Rocks take their normals from a picture in the object's own space.
@vertex
fn vs_rock(vertex: Vertex, instance: Instance) -> RockVarying {
    let spin = spin_of(instance);
    let v = place_vertex(vertex, instance, spin);
    return RockVarying(v.clip, v.view_way, v.normal, v.color, v.shade, v.fog, v.uv, v.finish, spin);
}

@fragment
fn fs_rock(in: RockVarying) -> @location(0) vec4f {
    let texel = textureSample(surface, repeating, in.uv).rgb;
    let bump = textureSample(bumps, repeating, in.uv);
    let turned = (item.place * vec4f(rotate(in.rotation, bump.xyz * 2.0 - 1.0), 0.0)).xyz;
    let normal = normalize(mix(in.normal, turned, bump.a));
    let albedo = in.color * mix(vec3f(1.0), texel, item.look.y);
    let color = lit(albedo, in.view_way, normal, in.shade, in.finish);
    return develop(mix(color, in.fog.rgb, in.fog.a), in.clip);
}

// ---- ground: fills most of the picture, so all but texture and shadow is done by vertex ----

struct GroundVarying {
    @builtin(position) clip: vec4f,
    @location(0) ambient: vec3f,   // light from around, times colour and clearness of the air
    @location(1) sunny: vec3f,     // the same for what the sun adds
    @location(2) air: vec3f,       // fog, times its amount
    @location(3) shade: vec3f,
    @location(4) uv: vec2f,
}

@vertex
fn vs_ground(vertex: Vertex) -> GroundVarying {
    let height = vertex.position.y - frame.sky_light.w;
    let fog = fog_to(vertex.position);
    let wet = 1.0 - 0.5 * (1.0 - smoothstep(0.0, 0.25, height));
    let color = vertex.color.rgb * (wet * (1.0 - fog.a));
    let covered = smoothstep(0.42, 0.70, clouds_at(vertex.position.xz * 0.011 + frame.up.w));
    let sun = max(dot(vertex.normal, frame.sun.xyz), 0.0) * (1.0 - 0.6 * covered);
    var out: GroundVarying;
    out.clip = frame.view_projection * vec4f(vertex.position, 1.0);
    out.ambient = color * from_around(vertex.normal);
    out.sunny = color * frame.sun_color.rgb * sun;
    out.air = fog.rgb * fog.a;
    out.shade = shade_at(vertex.position, vertex.normal);
    out.uv = vertex.uv * item.look.x;
    return out;
}

@fragment
fn fs_ground(in: GroundVarying) -> @location(0) vec4f {
    let detail = textureSample(surface, repeating, in.uv).r * 2.0 * item.look.y + (1.0 - item.look.y);
    return develop((in.ambient + in.sunny * sunlight(in.shade)) * detail + in.air, in.clip);
}

// ---- lake: a strip of the plane at the water's height, wide enough for the fog ----

struct WaterVarying {
    @builtin(position) clip: vec4f,
    @location(0) world: vec3f,
    @location(1) shade: vec3f,
}

@vertex
fn vs_water(@builtin(vertex_index) index: u32) -> WaterVarying {
    let corner = vec2f(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0;
    var out: WaterVarying;
    out.world = vec3f(corner.x * 80.0, frame.sky_light.w, corner.y * 80.0);
    out.clip = frame.view_projection * vec4f(out.world, 1.0);
    out.shade = shade_at(out.world, vec3f(0.0, 1.0, 0.0));
    return out;
}

@fragment
fn fs_water(in: WaterVarying) -> @location(0) vec4f {
    let reach = in.world.xz / frame.ground_light.w * 0.5 + 0.5;
    let depth = textureSampleLevel(depth_map, clamped, reach, 0.0).r * 2.0;
    let way = frame.eye.xyz - in.world;
    let away = dot(way, way);
    let view = way * inverseSqrt(away);
    let time = frame.eye.w;
    let a = cos(dot(in.world.xz, vec2f(1.9, 1.1)) + time * 1.3);
    let b = cos(dot(in.world.xz, vec2f(-2.6, 3.1)) + time * 1.9);
    let c = cos(dot(in.world.xz, vec2f(7.3, -5.1)) + time * 2.7 + a);
    let wave = 0.05 / (1.0 + 0.004 * away);
    let normal = normalize(vec3f(wave * (a * 0.6 - b * 0.7 + c * 0.9), 1.0, wave * (a * 0.4 + b - c * 0.7)));
    let bounced = reflect(-view, normal);
    let outside = 1.0 - max(dot(normal, view), 0.0);
    let fresnel = 0.03 + 0.97 * outside * outside * outside * outside;
    let shadow = sunlight(in.shade);
    let glint = pow(max(dot(bounced, frame.sun.xyz), 0.0), 180.0) * 5.0 * shadow;
    let body = mix(vec3f(0.07, 0.30, 0.27), vec3f(0.008, 0.045, 0.085), smoothstep(0.0, 1.0, depth));
    let light = frame.sky_light.rgb + frame.sun_color.rgb * 0.4 * shadow;
    let mirror = sky_color(vec3f(bounced.x, abs(bounced.y), bounced.z));
    let foam = (1.0 - smoothstep(0.0, 0.16 + 0.05 * b, depth)) * 0.55;
    var color = mix(body * light, mirror * vec3f(0.72, 0.86, 0.98), fresnel) + frame.sun_color.rgb * glint;
    color = mix(color, light * 0.8, foam);
    let fog = fog_to(in.world);
    return develop(mix(color, fog.rgb, fog.a), in.clip);
}

// ---- sky ----

struct SkyVarying {
    @builtin(position) clip: vec4f,
    @location(0) direction: vec3f,
}

@vertex
fn vs_sky(@builtin(vertex_index) index: u32) -> SkyVarying {
    let corner = vec2f(f32(index & 1u), f32(index >> 1u)) * 4.0 - 1.0;
    var out: SkyVarying;
    out.clip = vec4f(corner, 1.0, 1.0);
    out.direction = frame.forward.xyz + frame.right.xyz * corner.x + frame.up.xyz * corner.y;
    return out;
}

@fragment
fn fs_sky(in: SkyVarying) -> @location(0) vec4f {
    let direction = normalize(in.direction);
    let towards = max(dot(direction, frame.sun.xyz), 0.0);
    let plane = direction.xz / (max(direction.y, 0.0) + 0.16);
    let cover = clouds_at(plane * 0.11 + frame.up.w);
    let streaks = smoothstep(0.42, 0.70, cover) * smoothstep(0.02, 0.2, direction.y);
    let mirrored = abs(fract(plane * 0.1 + vec2f(0.75, 0.80)) * 2.0 - 1.0); // has no seams
    let far = textureSampleLevel(nebula, clamped, mirrored, 0.0).rgb;
    var color = sky_color(direction);
    color += far * far * far * (frame.forward.w * smoothstep(0.05, 0.45, direction.y));
    let towards_8 = pow(towards, 8.0);
    let glow = towards_8 * towards_8 * towards_8;
    let lining = frame.sun_color.rgb * (0.2 + 0.3 * glow) + frame.sky_light.rgb * 0.6;
    color = mix(color, lining, streaks * 0.85);
    color += frame.sun_color.rgb * (smoothstep(0.9990, 0.9995, towards) * 5.0 + glow * 0.3);
    return develop(color, in.clip);
}

// ---- particles: points of one pixel, brighter the nearer they are, as a bigger one would be ----

struct ParticleVarying {
    @builtin(position) clip: vec4f,
    @location(0) @interpolate(flat) light: vec4f, // times its amount
}

@vertex
fn vs_particle(@location(0) position: vec3f, @location(1) color: vec4f) -> ParticleVarying {
    let world = (item.place * vec4f(position, 1.0)).xyz;
    let way = world - frame.eye.xyz;
    let away = dot(way, way);
    let towards = max(dot(way * inverseSqrt(away), frame.sun.xyz), 0.0);
    let amount = min(color.a * (0.7 + 0.8 * towards * towards) * 200.0 / away, 1.0);
    var out: ParticleVarying;
    out.clip = select(vec4f(0.0, 0.0, 2.0, 1.0), frame.view_projection * vec4f(world, 1.0), color.a > 0.0);
    out.light = vec4f(color.rgb * amount, amount * 0.75);
    return out;
}

@fragment
fn fs_particle(in: ParticleVarying) -> @location(0) vec4f {
    return in.light;
}
